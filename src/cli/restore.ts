// `gantry restore --from FILE`: checks the whole archive, then fills the ledger in one transaction: a restore that fails leaves it
// as it was. Ended jobs stay ended; open ones go on when services start, by the same rules as after a crash.
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { Readable, type Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { loadConfig, type Config } from '../config/config';
import { migrateToLatest } from '../db/migrate';
import { migrations } from '../db/migrations/index';
import {
  beginFilling,
  connectAlone,
  copyIn,
  endFilling,
  isLedgerEmpty,
  migrationNames,
  otherSessions,
  tablesInOrder,
} from '../db/queries/backup';
import { pause } from '../lib/abort';
import { createLogger } from '../lib/logger';
import { readArchive, type Manifest } from './archive';
import { keyCheckOf } from './backup';
import { printJson, say } from './clientCommand';
import { CliError } from './exitCodes';
import { findServer } from './openLedger';
import { listenForEnd } from './untilSignal';

export interface RestoreOptions {
  from: string;
  replace?: boolean;
  json?: boolean;
}

/** Connections of processes that have just ended. */
const SESSIONS_WAIT_MS = 3000;

export async function restore(options: RestoreOptions): Promise<void> {
  const config = loadConfig();
  const end = listenForEnd(() => say('Stopping: nothing is restored.'));
  const logger = createLogger({ level: 'warn', name: 'gantry-restore' });
  try {
    const checked = await check(options.from, config);
    const found = config.databaseUrl
      ? null
      : await findServer(config.dataDir, { server: 'own', signal: end.signal }, logger);
    try {
      const url = config.databaseUrl ?? found?.url ?? '';
      await fill(url, checked, options, config, end.signal);
      await migrateToLatest(url);
    } finally {
      await found?.stop();
    }
    tell(options, checked.manifest);
  } finally {
    end.release();
  }
}

interface Checked {
  manifest: Manifest;
  /** The key that the archive brings along. */
  secretKey: string | null;
}

/** The first reading: nothing is opened or written before all of it is known to be good. */
async function check(file: string, config: Config): Promise<Checked> {
  let secretKey: string | null = null;
  const manifest = await readArchive(file, async (name, content) => {
    const parts: Buffer[] = [];
    for await (const part of content) if (name === 'secret-key') parts.push(part);
    if (name === 'secret-key') secretKey = Buffer.concat(parts).toString('utf8');
  });
  const known = Object.keys(migrations);
  if (manifest.migrations.some((name, place) => known[place] !== name)) {
    throw new CliError(
      `${file} was made by Gantry ${manifest.gantry}, whose schema this one does not know. Nothing was changed; restore it with that version or a newer one.`,
    );
  }
  const key = config.secretKey ?? secretKey ?? (await keyOfFolder(config.dataDir));
  if (key === null || keyCheckOf(key) !== manifest.keyCheck) {
    throw new CliError(
      `The secrets in ${file} open by another SECRET_KEY than the one here. Nothing was changed; set SECRET_KEY to that of the installation it was made of.`,
    );
  }
  return { manifest, secretKey: config.secretKey === undefined ? secretKey : null };
}

function keyOfFolder(dataDir: string): Promise<string | null> {
  return readFile(path.join(dataDir, 'secret-key'), 'utf8').then(
    (text) => text.trim(),
    () => null,
  );
}

async function fill(
  url: string,
  { manifest, secretKey }: Checked,
  options: RestoreOptions,
  config: Config,
  signal: AbortSignal,
): Promise<void> {
  const last = manifest.migrations[manifest.migrations.length - 1] ?? '';
  await mayFill(url, manifest, options);
  await migrateToLatest(url, last);
  const client = await connectAlone(url);
  const made: string[] = [];
  try {
    await client.query('begin');
    const there = new Map((await tablesInOrder(client)).map((table) => [table.name, new Set(table.columns)]));
    const lacking = manifest.tables.filter(
      ({ name, columns, rows }) => rows > 0 && !columns.every((column) => there.get(name)?.has(column)),
    );
    if (lacking.length > 0) {
      const names = lacking.map(({ name }) => name).join(', ');
      throw new CliError(
        `The archive holds tables that are not there: ${names}. Make them first. Nothing was changed.`,
      );
    }
    const tables = manifest.tables.filter(({ name }) => there.has(name));
    await beginFilling(client, tables);
    await load(client, options.from, manifest, path.join(config.dataDir, 'artifacts'), made, signal);
    const note = {
      archive: path.basename(options.from),
      sha256: await sha256Of(options.from),
      madeAt: manifest.madeAt,
    };
    await endFilling(client, tables, manifest.sequences, note);
    signal.throwIfAborted();
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    await Promise.all(made.map((file) => rm(file, { force: true })));
    throw error;
  } finally {
    await client.end();
  }
  if (secretKey !== null) await keepKey(config.dataDir, secretKey);
}

async function mayFill(url: string, manifest: Manifest, options: RestoreOptions): Promise<void> {
  const client = await connectAlone(url);
  try {
    for (let waitedMs = 0; (await otherSessions(client)) > 0; waitedMs += 100) {
      if (waitedMs > SESSIONS_WAIT_MS) {
        throw new CliError(
          'Others are connected to this database. Nothing was changed; stop all services of Gantry on it and try again.',
        );
      }
      await pause(100);
    }
    const names = await migrationNames(client);
    if (names.length > manifest.migrations.length || names.some((name, place) => manifest.migrations[place] !== name)) {
      throw new CliError(
        'The schema of this database is newer than the archive. Nothing was changed; restore into an empty DATA_DIR or database, which is then brought up to date.',
      );
    }
    if (!options.replace && !(await isLedgerEmpty(client))) {
      throw new CliError(
        'There are jobs or accounts here already. Nothing was changed; restore into an empty DATA_DIR or database, or with --replace, after which they are gone.',
      );
    }
  } finally {
    await client.end();
  }
}

/** The second reading. Artifacts get their names before the commit: a file that no row knows harms nobody. */
async function load(
  client: Client,
  file: string,
  manifest: Manifest,
  folder: string,
  made: string[],
  signal: AbortSignal,
): Promise<void> {
  let open: { name: string; into: Writable } | null = null;
  const close = async (): Promise<void> => {
    if (!open) return;
    const { into } = open;
    open = null;
    into.end();
    await finished(into);
  };
  const again = await readArchive(file, async (name, content) => {
    signal.throwIfAborted();
    const [kind, rest = ''] = name.split('/');
    if (kind !== 'tables' || open?.name !== rest) await close();
    if (kind === 'tables') {
      const table = manifest.tables.find((one) => one.name === rest);
      if (!table) throw new CliError(`${file} holds rows of ${rest}, which its manifest does not name.`);
      open ??= { name: rest, into: copyIn(client, table) };
      await pipeline(Readable.from(content), open.into, { end: false });
    } else if (kind === 'artifacts') {
      const target = path.join(folder, rest);
      await mkdir(folder, { recursive: true });
      await pipeline(Readable.from(content), createWriteStream(`${target}.partial`));
      await rename(`${target}.partial`, target);
      made.push(target);
    } else await drain(content);
  });
  await close();
  if (JSON.stringify(again) !== JSON.stringify(manifest)) {
    throw new CliError(`${file} changed while it was read. Nothing was restored.`);
  }
}

async function drain(content: AsyncIterable<Buffer>): Promise<void> {
  const parts = content[Symbol.asyncIterator]();
  while (!(await parts.next()).done);
}

async function keepKey(dataDir: string, secretKey: string): Promise<void> {
  const file = path.join(dataDir, 'secret-key');
  await writeFile(`${file}.partial`, `${secretKey}\n`, { mode: 0o600 });
  await chmod(`${file}.partial`, 0o600);
  await rename(`${file}.partial`, file);
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function tell(options: RestoreOptions, manifest: Manifest): void {
  const { entries: _entries, ...what } = manifest;
  if (options.json) printJson({ restored: true, ...what });
  const jobs = manifest.tables.find(({ name }) => name === 'job')?.rows ?? 0;
  say(`Restored ${jobs} jobs as of ${manifest.madeAt}. Open jobs go on, and due notices are sent, when Gantry starts.`);
}
