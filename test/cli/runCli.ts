// The command line as its users call it: a process of its own, from the sources, with what it wrote to each output.
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunningCli {
  child: ChildProcess;
  stderr(): string;
  ended: Promise<CliResult>;
}

export interface CliOptions {
  env?: Record<string, string>;
  stdin?: string;
}

const ROOT = path.join(__dirname, '..', '..');
const running = new Set<ChildProcess>();

/** Nothing of the suite's own environment speaks to it but PATH. */
export function startCli(args: string[], options: CliOptions = {}): RunningCli {
  const child = spawn(process.execPath, ['-r', './test/support/swcRegister.cjs', 'src/main.ts', ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', LOG_LEVEL: 'warn', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
  // A command that ends before it has read all of its input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.stdin ?? '');
  const ended = new Promise<CliResult>((resolve) =>
    child.once('close', (code) => {
      running.delete(child);
      resolve({ code, stdout, stderr });
    }),
  );
  return { child, stderr: () => stderr, ended };
}

export function runCli(args: string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).ended;
}

/** For afterAll: nothing of a test that failed half way goes on. */
export function killCli(): void {
  for (const child of running) child.kill('SIGKILL');
}
