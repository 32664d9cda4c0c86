// Where the demo lives and what it is set to: its own folder, port, passwords and token, nothing of a real installation.
// A second `npm run demo` finds its accounts again; `--once` takes a folder that is gone afterwards.
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { environmentWith, loadConfig, type Config } from '../config/config';
import { newSecret } from '../lib/ids';

export interface DemoSettings {
  config: Config;
  token: string;
  passwords: Record<Account['role'], string>;
  /** Removes the folder when it was made for this run alone. */
  clear(): void;
}

export interface Account {
  role: 'user' | 'power_user' | 'superadmin';
  name: string;
  email: string;
}

export const ACCOUNTS = [
  { role: 'superadmin', name: 'Sam Superadmin', email: 'superadmin@gantry.example' },
  { role: 'power_user', name: 'Pat Power', email: 'power.user@gantry.example' },
  { role: 'user', name: 'Uma User', email: 'user@gantry.example' },
] as const satisfies readonly Account[];

/** Nothing of a real installation is touched, whatever the environment says. */
const FORCED = {
  DATABASE_URL: '',
  REDIS_URL: '',
  SMTP_URL: '',
  SECRET_KEY: '',
  BASE_URL: '',
  HOST: '127.0.0.1',
  OPERATIONS_ALLOW_HOSTS: '127.0.0.1',
};

export async function prepareDemo(once: boolean): Promise<DemoSettings> {
  const given = environmentWith({});
  const dataDir = given['DATA_DIR']
    ? path.resolve(given['DATA_DIR'])
    : once
      ? scratchFolder()
      : path.resolve('.gantry-demo');
  const port = given['PORT'] ?? String(await freePort(once ? 0 : 3000));
  const kept = keptSecrets(dataDir);
  const config = loadConfig(
    environmentWith(
      { LOG_LEVEL: 'warn' },
      {
        ...FORCED,
        DATA_DIR: dataDir,
        PORT: port,
        ADMIN_EMAIL: ACCOUNTS[0].email,
        ADMIN_PASSWORD: kept.passwords.superadmin,
        ADMIN_TOKEN: kept.token,
      },
    ),
  );
  const scratch = once && !given['DATA_DIR'];
  return { ...kept, config, clear: () => scratch && rmSync(dataDir, { recursive: true, force: true }) };
}

function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'gantry-demo-'));
  // PostgreSQL may run under another account than root, and has to reach its own folder below.
  chmodSync(folder, 0o755);
  return folder;
}

function keptSecrets(dataDir: string): Pick<DemoSettings, 'token' | 'passwords'> {
  const file = path.join(dataDir, 'demo.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Pick<DemoSettings, 'token' | 'passwords'>;
  const password = (): string => randomBytes(9).toString('base64url');
  const made = {
    token: newSecret('gantry'),
    passwords: { superadmin: password(), power_user: password(), user: password() },
  };
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
  return made;
}

/** The wanted port where it is free, else any. */
export function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => (wanted === 0 ? reject(error) : resolve(freePort(0))));
    probe.listen(wanted, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
