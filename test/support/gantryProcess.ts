// Runs Gantry as its users do: a process of its own, from the sources, that is asked over HTTP and ended by signals.
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './redisServer';
import { until } from './until';

export interface GantryProcess {
  url: string;
  pid: number;
  /** All that it wrote so far, for the message of a test that fails. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** Waits for the end. */
  ended(withinMs?: number): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export interface StartOptions {
  args?: string[];
  /** Another program than the sources, such as an installed package's, and where it runs. */
  program?: string;
  cwd?: string;
  env?: Record<string, string>;
  /** False: returns at once, without waiting for /readyz. */
  untilReady?: boolean;
  readyWithinMs?: number;
  /** Sources of another version; default: these. */
  sources?: string;
}

const running = new Set<ChildProcess>();

/** A folder for DATA_DIR that the account of the embedded PostgreSQL may enter; the caller clears it by `clearFolder`. */
export function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'gantry-e2e-'));
  chmodSync(folder, 0o755);
  return folder;
}

/** Ends an embedded server that a killed process left behind, and removes the folder. */
export async function clearFolder(folder: string): Promise<void> {
  const pidFile = path.join(folder, 'postgres/cluster/postmaster.pid');
  if (existsSync(pidFile)) {
    const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
    if (pid > 0 && isAlive(pid)) {
      process.kill(pid, 'SIGINT');
      await until(() => !isAlive(pid), 'the end of the embedded server');
    }
  }
  rmSync(folder, { recursive: true, force: true });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The pid of the embedded server of a DATA_DIR. */
export function serverPid(dataDir: string): number {
  return Number(readFileSync(path.join(dataDir, 'postgres/cluster/postmaster.pid'), 'utf8').split('\n')[0]);
}

export async function startGantry(dataDir: string, options: StartOptions = {}): Promise<GantryProcess> {
  const port = options.env?.['PORT'] ?? String(await freePort());
  const given = { DATABASE_URL: '', REDIS_URL: '', SMTP_URL: '', HOST: '127.0.0.1', BASE_URL: '', LOG_LEVEL: 'info' };
  const args = options.args ?? ['start'];
  const register = path.join(__dirname, 'swcRegister.cjs');
  const main = path.join(options.sources ?? path.join(__dirname, '..', '..'), 'src/main.ts');
  const program = options.program ? [options.program] : ['-r', register, main];
  const child = spawn(process.execPath, [...program, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...given, DATA_DIR: dataDir, PORT: port, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  child.stdout.on('data', (part: Buffer) => (output += part.toString()));
  child.stderr.on('data', (part: Buffer) => (output += part.toString()));
  const end = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('exit', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    }),
  );
  const started: GantryProcess = {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    output: () => output,
    signal: (name) => void child.kill(name),
    ended: async (withinMs = 30_000) => {
      let late: NodeJS.Timeout | undefined;
      const tooLate = new Promise<never>((_, reject) => {
        late = setTimeout(
          () => reject(new Error(`it did not end within ${withinMs} ms:\n${output.slice(-4000)}`)),
          withinMs,
        );
      });
      return Promise.race([end, tooLate]).finally(() => clearTimeout(late));
    },
  };
  if (options.untilReady ?? true) {
    const isReady = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode} before it was ready`);
      return (await statusOf(`${started.url}/readyz`)) === 200;
    };
    await until(isReady, 'readiness', options.readyWithinMs ?? 40_000).catch((cause: Error) => {
      throw new Error(`${cause.message}\n${output.slice(-4000)}`, { cause });
    });
  }
  return started;
}

/** For afterAll: nothing of a test that failed half way goes on. */
export function killLeftovers(): void {
  for (const child of running) child.kill('SIGKILL');
}

export async function statusOf(url: string): Promise<number | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return null;
  }
}
