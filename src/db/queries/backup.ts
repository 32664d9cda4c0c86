// What a backup reads and a restore writes: whole tables by COPY, as the text that PostgreSQL itself gives and takes, so that
// json and bytea come back byte for byte. Called by cli/backup.ts and cli/restore.ts on a connection of their own.
import type { Readable, Writable } from 'node:stream';
import { Client } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

/** Neither tables of the migrations themselves nor processes that were alive then. */
const LEFT_OUT = ['gantry_migration', 'gantry_migration_lock', 'worker'];
const LEDGER_HAS_ROWS = ['app_user', 'job', 'operation', 'project'];

export interface TableShape {
  name: string;
  columns: string[];
}

export interface SequencePlace {
  table: string;
  column: string;
  /** Text: it may be larger than what JavaScript counts. */
  last: string;
}

export async function connectAlone(url: string): Promise<Client> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    options:
      '-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c timezone=UTC -c datestyle=ISO -c search_path=public',
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** All that is read afterwards is of one moment. @returns that moment. */
export async function beginSnapshot(client: Client): Promise<Date> {
  await client.query('begin isolation level repeatable read, read only');
  const { rows } = await client.query<{ now: Date }>('select now()');
  return rows[0]?.now ?? new Date();
}

/** Names in their order; empty where Gantry never was. */
export async function migrationNames(client: Client): Promise<string[]> {
  if (!(await isThere(client, 'gantry_migration'))) return [];
  const names = await client.query<{ name: string }>('select name from gantry_migration order by name');
  return names.rows.map(({ name }) => name);
}

/** The ledger's tables, those that others refer to first. */
export async function tablesInOrder(client: Client): Promise<TableShape[]> {
  const { rows } = await client.query<{ name: string; columns: string[]; needs: string[] }>(
    `select relname as name,
       (select array_agg(attname::text order by attnum) from pg_attribute
         where attrelid = pg_class.oid and attnum > 0 and not attisdropped and attgenerated = '') as columns,
       coalesce((select array_agg(distinct other.relname::text) from pg_constraint join pg_class other on other.oid = confrelid
         where conrelid = pg_class.oid and contype = 'f' and confrelid <> conrelid), '{}') as needs
     from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> all($1) order by relname`,
    [LEFT_OUT],
  );
  const ordered: TableShape[] = [];
  const isDone = (name: string): boolean => LEFT_OUT.includes(name) || ordered.some((table) => table.name === name);
  for (let left = rows; left.length > 0;) {
    const next = left.filter(({ needs }) => needs.every(isDone));
    if (next.length === 0)
      throw new Error(`tables refer to each other in a ring: ${left.map(({ name }) => name).join()}`);
    ordered.push(...next.map(({ name, columns }) => ({ name, columns })));
    left = left.filter(({ name }) => !isDone(name));
  }
  return ordered;
}

/** Tables of plug-ins, which belong to whoever made them. */
export async function foreignTables(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select schemaname || '.' || tablename as name from pg_tables
     where schemaname not in ('public', 'bullmq', 'information_schema') and schemaname not like 'pg\\_%' order by 1`,
  );
  return rows.map(({ name }) => name);
}

export async function sequencePlaces(client: Client): Promise<SequencePlace[]> {
  const { rows } = await client.query<SequencePlace>(
    `select table_name::text as table, column_name::text as column, last_value::text as last
     from information_schema.columns
     join pg_sequences on format('%I.%I', schemaname, sequencename)::regclass
       = pg_get_serial_sequence(format('public.%I', table_name), column_name)::regclass
     where table_schema = 'public' and is_identity = 'YES' and last_value is not null order by 1`,
  );
  return rows;
}

/** Files of artifacts that the snapshot knows. */
export async function storedArtifacts(client: Client): Promise<string[]> {
  // A schema from before deployments.
  if (!(await isThere(client, 'artifact'))) return [];
  const { rows } = await client.query<{ name: string }>('select stored_as as name from artifact order by id');
  return rows.map(({ name }) => name);
}

export function copyOut(client: Client, table: TableShape): Readable {
  return client.query(copyTo(`copy ${quoted(table.name)} (${table.columns.map(quoted).join(', ')}) to stdout`));
}

export function copyIn(client: Client, table: TableShape): Writable {
  return client.query(copyFrom(`copy ${quoted(table.name)} (${table.columns.map(quoted).join(', ')}) from stdin`));
}

/** Who else is connected to this database: a restore beside a running service would be undone by it. */
export async function otherSessions(client: Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
  );
  return rows[0]?.count ?? 0;
}

export async function isLedgerEmpty(client: Client): Promise<boolean> {
  for (const table of LEDGER_HAS_ROWS) {
    if (!(await isThere(client, table))) continue;
    const { rows } = await client.query(`select 1 from ${table} limit 1`);
    if (rows.length > 0) return false;
  }
  return true;
}

async function isThere(client: Client, table: string): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    `public.${table}`,
  ]);
  return rows[0]?.there ?? false;
}

/** Within a transaction: empties the tables that are to be filled. What refuses changes of the audit rests until `endFilling`. */
export async function beginFilling(client: Client, tables: TableShape[]): Promise<void> {
  const names = tables.map(({ name }) => quoted(name));
  for (const name of names) await client.query(`alter table ${name} disable trigger user`);
  await client.query(`truncate ${[...names, 'worker'].join(', ')}`);
}

export interface RestoreNote {
  archive: string;
  sha256: string;
  madeAt: string;
}

export async function endFilling(
  client: Client,
  tables: TableShape[],
  sequences: SequencePlace[],
  note: RestoreNote,
): Promise<void> {
  for (const { table, column, last } of sequences) {
    await client.query('select setval(pg_get_serial_sequence($1, $2)::regclass, $3::bigint)', [
      `public.${quoted(table)}`,
      column,
      last,
    ]);
  }
  for (const { name } of tables) await client.query(`alter table ${quoted(name)} enable trigger user`);
  await client.query(
    `insert into audit (actor_name, action, subject_type, subject_id, after)
     values ('Gantry (command line)', 'ledger.restore', 'ledger', 'ledger', $1::json)`,
    [JSON.stringify(note)],
  );
  // Messages of another time: the ledger's own rows say what is to be sent.
  await client.query('drop schema if exists bullmq cascade');
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
