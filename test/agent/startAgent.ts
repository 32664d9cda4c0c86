// Starts the real agent for a test: in this process, or as a process of its own that can be killed.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

export function startAgentProcess(server: string, root: string, token?: string): AgentProcess {
  const register = join(__dirname, '..', 'support', 'swcRegister.cjs');
  const args = ['-r', register, join(__dirname, 'agentProcess.ts'), server, root, ...(token ? [token] : [])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
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
