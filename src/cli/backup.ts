// `gantry backup --to FILE`: ledger and artifacts as of one moment, in one file, while services run or not. The queue is not part
// of it: what is to be delivered stands in the ledger.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from 'pg';
import { loadConfig, type Config } from '../config/config';
import {
  beginSnapshot,
  connectAlone,
  copyOut,
  foreignTables,
  migrationNames,
  sequencePlaces,
  storedArtifacts,
  tablesInOrder,
  type TableShape,
} from '../db/queries/backup';
import { createLogger } from '../lib/logger';
import { writeArchive, type ArchiveWriter, type Manifest } from './archive';
import { printJson, say } from './clientCommand';
import { CliError } from './exitCodes';
import { findServer } from './openLedger';
import { keptSecretKey } from './secretKeyFile';
import { listenForEnd } from './untilSignal';
import { programVersion } from './programVersion';

const PART_BYTES = 4 * 1024 * 1024;

export async function backup(options: { to: string; json?: boolean }): Promise<void> {
  const config = loadConfig();
  if (!config.databaseUrl && !existsSync(path.join(config.dataDir, 'postgres'))) {
    throw new CliError(`There is no Gantry under DATA_DIR ${config.dataDir}: nothing was written.`);
  }
  const end = listenForEnd(() => say('Stopping: the archive is not written.'));
  const logger = createLogger({ level: 'warn', name: 'gantry-backup' });
  const server = config.databaseUrl
    ? null
    : await findServer(config.dataDir, { server: 'any', signal: end.signal }, logger);
  const archive = writeArchive(path.resolve(options.to));
  try {
    const client = await connectAlone(config.databaseUrl ?? server?.url ?? '');
    try {
      const manifest = await fill(client, archive, config, end.signal);
      if (options.json) printJson({ file: path.resolve(options.to), ...manifest });
      tell(options.to, manifest, await foreignTables(client));
    } finally {
      await client.end();
    }
  } catch (error) {
    await archive.abandon();
    throw error;
  } finally {
    await server?.stop();
    end.release();
  }
}

type Filled = Omit<Manifest, 'format' | 'entries'>;

async function fill(client: Client, archive: ArchiveWriter, config: Config, signal: AbortSignal): Promise<Filled> {
  const madeAt = await beginSnapshot(client);
  const migrations = await migrationNames(client);
  if (migrations.length === 0) throw new CliError('There is no Gantry in this database: nothing was written.');
  const tables: Manifest['tables'] = [];
  for (const table of await tablesInOrder(client)) {
    signal.throwIfAborted();
    tables.push({ ...table, rows: await addTable(client, archive, table, signal) });
  }
  const folder = path.join(config.dataDir, 'artifacts');
  for (const name of await storedArtifacts(client)) {
    signal.throwIfAborted();
    const file = path.join(folder, name);
    const size = (await stat(file).catch(() => null))?.size;
    if (size === undefined) say(`The file of an artifact is not there and not part of the archive: ${file}`);
    else await archive.addStream(`artifacts/${name}`, size, createReadStream(file));
  }
  const secretKey = config.secretKey ?? keptSecretKey(config.dataDir);
  if (config.secretKey === undefined) await archive.add('secret-key', Buffer.from(secretKey));
  const filled: Filled = {
    gantry: programVersion(),
    madeAt: madeAt.toISOString(),
    migrations,
    keyCheck: keyCheckOf(secretKey),
    tables,
    sequences: await sequencePlaces(client),
  };
  await archive.finish(filled);
  return filled;
}

/** In parts of a size that memory holds, since a tar wants to know each size beforehand. @returns rows. */
async function addTable(
  client: Client,
  archive: ArchiveWriter,
  table: TableShape,
  signal: AbortSignal,
): Promise<number> {
  let part = 0;
  let size = 0;
  let rows = 0;
  let kept: Buffer[] = [];
  const flush = async (): Promise<void> => {
    if (size === 0) return;
    part += 1;
    await archive.add(`tables/${table.name}/${String(part).padStart(6, '0')}`, Buffer.concat(kept));
    kept = [];
    size = 0;
  };
  for await (const bytes of copyOut(client, table) as AsyncIterable<Buffer>) {
    kept.push(bytes);
    size += bytes.length;
    // COPY ends each row with a line feed, and writes those inside values as \n.
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) rows += 1;
    if (size >= PART_BYTES) await flush();
    signal.throwIfAborted();
  }
  await flush();
  return rows;
}

export function keyCheckOf(secretKey: string): string {
  return createHash('sha256').update(`gantry backup ${secretKey}`).digest('hex');
}

function tell(file: string, { tables, madeAt }: Filled, foreign: string[]): void {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const jobs = tables.find(({ name }) => name === 'job')?.rows ?? 0;
  say(`${file}: ${jobs} jobs, ${rows} rows in all, as of ${madeAt}. Keep it safe: it holds secrets.`);
  if (foreign.length > 0) say(`Not part of it, since they are no tables of Gantry: ${foreign.join(', ')}`);
}
