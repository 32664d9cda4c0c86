// The deployment target of the demo: an agent in a process of its own, this same program started as `gantry agent`.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface DemoAgent {
  root: string;
  stop(): Promise<void>;
}

export const AGENT_NAME = 'demo-target';

/** Whether an earlier demo on this folder has enrolled an agent already: then it needs no token. */
export function isEnrolled(root: string): boolean {
  try {
    return 'enrolment' in JSON.parse(readFileSync(path.join(root, '.gantry-agent', 'identity.json'), 'utf8'));
  } catch {
    return false;
  }
}

export function startDemoAgent(server: string, root: string, token: string | null): DemoAgent {
  mkdirSync(root, { recursive: true });
  const log = openSync(`${root}.log`, 'a');
  const script = process.argv[1] ?? '';
  const options = ['--server', server, '--root', root, ...(token ? ['--enrol', token] : [])];
  // Detached: a Ctrl-C of the terminal reaches the demo alone, which then stops its agent in good order.
  const child = spawn(process.execPath, [...process.execArgv, script, 'agent', ...options], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  return {
    root,
    stop: async () => {
      child.kill('SIGTERM');
      const cut = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(cut);
    },
  };
}
