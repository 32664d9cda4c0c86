// Starts workerProcess.ts against an engine's ledger and queue, and ends it by its process id alone.
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Engine } from './engine';

export interface WorkerProcess {
  workerId: string;
  /** Resolves when the process is gone. */
  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<number | null>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** Resolves when the process has ended, by whatever. */
  gone: Promise<number | null>;
}

const running = new Set<ChildProcess>();

/** For afterEach and afterAll: a test that failed leaves no process behind, frozen ones included. */
export async function killSpawned(): Promise<void> {
  await Promise.all([...running].map((child) => new Promise((resolve) => child.once('exit', resolve).kill('SIGKILL'))));
}

const ROOT = path.join(__dirname, '..', '..');

export function spawnWorker(engine: Engine, env: Record<string, string> = {}): Promise<WorkerProcess> {
  const child = spawn(
    process.execPath,
    ['-r', './test/support/swcRegister.cjs', path.join(__dirname, 'workerProcess.ts')],
    {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'] ?? '',
        GANTRY_TEST_LOG: process.env['GANTRY_TEST_LOG'] ?? 'silent',
        TEST_DATABASE: engine.databaseUrl,
        TEST_REDIS: engine.queue.backend === 'redis' ? (process.env['GANTRY_TEST_REDIS'] ?? '') : '',
        TEST_PREFIX: engine.prefix,
        LEASE_MS: String(engine.config.leaseMs),
        SHUTDOWN_GRACE_MS: String(engine.config.shutdownGraceMs),
        CANCEL_GRACE_MS: String(engine.config.cancelGraceMs),
        WORKER_CONCURRENCY: '4',
        RETENTION_CRON: '0 0 1 1 *',
        DATA_DIR: '/nonexistent/gantry-test',
        ...env,
      },
    },
  );
  running.add(child);
  child.once('exit', () => running.delete(child));
  const gone = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      const workerId = /^ready (\S+)/m.exec(said)?.[1];
      if (workerId === undefined) return;
      resolve({
        workerId,
        gone,
        signal: (name) => void child.kill(name),
        kill: async (signal) => {
          child.kill(signal);
          return gone;
        },
      });
    });
    void gone.then((code) => reject(new Error(`the worker process ended with ${code} before it was ready`)));
  });
}
