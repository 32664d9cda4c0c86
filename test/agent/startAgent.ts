// Starts the real agent for a test: in this process, or as a process of its own that can be killed.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';
import pino from 'pino';
import { runAgent, type AgentOptions } from '../../src/agent/runAgent';

export interface RunningAgent {
  stop(): Promise<void>;
  ended: Promise<void>;
}

export function startAgent(options: Omit<AgentOptions, 'logger' | 'signal'>): RunningAgent {
  const abort = new AbortController();
  const ended = runAgent({ ...options, logger: pino({ level: 'silent' }), signal: abort.signal });
  ended.catch(() => undefined);
  return {
    ended,
    stop() {
      abort.abort();
      return ended;
    },
  };
}

export interface AgentProcess {
  child: ChildProcess;
  kill(): Promise<void>;
}

let program: string | null = null;

/** The sources, compiled once for each test process: a start takes a tenth of what compiling in the child takes. */
function agentProgram(): string {
  if (program !== null) return program;
  // Two folders below package.json, as src/agent and dist/agent are.
  const outfile = join(__dirname, '..', '..', 'dist', `test-${process.pid}`, 'agentProcess.cjs');
  const entryPoints = [join(__dirname, 'agentProcess.ts')];
  buildSync({ entryPoints, outfile, bundle: true, platform: 'node', target: 'node20', packages: 'external' });
  program = outfile;
  return outfile;
}

export function removeAgentProgram(): void {
  if (program !== null) rmSync(dirname(program), { recursive: true, force: true });
  program = null;
}

export function startAgentProcess(server: string, root: string, token?: string): AgentProcess {
  const child = spawn(process.execPath, [agentProgram(), server, root, ...(token ? [token] : [])], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const gone = once(child, 'exit');
  return {
    child,
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

export function scratchFolder(): { path: string; remove(): void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'gantry-agent-')));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
