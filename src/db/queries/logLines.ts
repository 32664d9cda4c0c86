// A job's log. Lines of a run are numbered from 1 on without gaps, in the order in which they can be read, whatever the
// workers' clocks say: a reader that goes on after the last number it saw misses nothing. Beyond its limit a log is cut.
import { sql } from 'kysely';
import type { Db } from '../database';
import type { Lease } from './claims';
import { lockRunRecord, type RunRecord } from './reports';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogEntry {
  level: LogLevel;
  message: string;
}

/** Of a run's log, besides the errors that are kept after it was cut. */
export interface LogLimit {
  bytes: number;
  lines: number;
  /** More errors, after the cut. */
  errors: number;
}

/** Lines are some hundred characters long; very short ones cost as much. */
export function logLimitOf(bytes: number): LogLimit {
  const lines = Math.max(10, Math.ceil(bytes / 100));
  return { bytes, lines, errors: Math.ceil(lines / 10) };
}

/** Appends lines in the order given. Nothing is written under a lost lease. */
export async function appendLog(db: Db, lease: Lease, entries: LogEntry[], limit: LogLimit): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const record = await lockRunRecord(tx, lease);
    if (!record) return;
    const { kept, after } = admit(record, entries, limit);
    await sql`
      with counted as (
        update run_record set lines = ${after.lines}, bytes = ${after.bytes}, cut = ${after.cut},
          errors_after_cut = ${after.errorsAfterCut}
        where job_id = ${lease.jobId} and run = ${lease.run})
      insert into log_line (job_id, run, line, level, message)
      select ${lease.jobId}, ${lease.run}, ${record.lines}::bigint + place, level, message
      from unnest(${kept.map((entry) => entry.level)}::text[], ${kept.map((entry) => entry.message)}::text[])
        with ordinality as entry(level, message, place)`.execute(tx);
  });
}

/** Which of the lines are still kept. The one that would pass the limit is replaced by a notice; then only errors follow. */
function admit(
  record: RunRecord,
  entries: LogEntry[],
  limit: LogLimit,
): { kept: LogEntry[]; after: Pick<RunRecord, 'lines' | 'bytes' | 'cut' | 'errorsAfterCut'> } {
  let { lines, bytes, cut, errorsAfterCut } = record;
  const kept: LogEntry[] = [];
  const keep = (entry: LogEntry): void => {
    kept.push(entry);
    lines += 1;
    bytes += Buffer.byteLength(entry.message);
  };
  for (const entry of entries) {
    if (!cut && (lines >= limit.lines || bytes + Buffer.byteLength(entry.message) > limit.bytes)) {
      cut = true;
      keep({ level: 'warn', message: cutNotice(limit) });
    }
    if (!cut) keep(entry);
    else if (entry.level === 'error' && errorsAfterCut < limit.errors) {
      errorsAfterCut += 1;
      keep(entry);
      if (errorsAfterCut === limit.errors) keep({ level: 'warn', message: 'From here on errors are not kept either.' });
    }
  }
  return { kept, after: { lines, bytes, cut, errorsAfterCut } };
}

function cutNotice({ lines, bytes, errors }: LogLimit): string {
  const size = bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${bytes} bytes`;
  return (
    `The log of this run was cut here: it reached its limit of ${lines} lines or ${size} (LOG_LIMIT_MB). ` +
    `Further lines are not kept, besides the next ${errors} errors. The work itself goes on.`
  );
}

export interface LogLineRow {
  /** Within the run, from 1 on. */
  seq: number;
  run: number;
  at: Date;
  level: string;
  message: string;
}

/** In order, those after number `after`; of this level and those above it. */
export function listLogLines(
  db: Db,
  jobId: string,
  run: number,
  page: { after: number; limit: number; level?: LogLevel },
): Promise<LogLineRow[]> {
  return db
    .selectFrom('logLine')
    .select([sql<number>`line`.as('seq'), 'run', 'at', 'level', 'message'])
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .where('line', '>', page.after)
    .$if(page.level !== undefined && page.level !== 'debug', (query) =>
      query.where('level', 'in', LOG_LEVELS.slice(LOG_LEVELS.indexOf(page.level ?? 'debug'))),
    )
    .orderBy('line')
    .limit(page.limit)
    .execute();
}

export interface RunEventRow {
  id: number;
  type: string;
  at: Date;
  actorName: string | null;
  data: string | null;
}

/** The timeline of one run, oldest first. */
export function listRunEvents(
  db: Db,
  jobId: string,
  run: number,
  page: { after: number; limit: number },
): Promise<RunEventRow[]> {
  return db
    .selectFrom('jobEvent')
    .select(['id', 'type', 'at', 'actorName', 'data'])
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .where('id', '>', page.after)
    .orderBy('id')
    .limit(page.limit)
    .execute();
}

export interface ChunkRow {
  chunk: number;
  firstRowIndex: number;
  rowCount: number;
  rowIndexes: number[] | null;
  state: string;
  attempts: number;
  startedAt: Date | null;
  finishedAt: Date | null;
  errorMessage: string | null;
}

/** The chunks of a run that came to an end, in the order of their rows. */
export function listEndedChunks(
  db: Db,
  jobId: string,
  run: number,
  page: { after: number; limit: number },
): Promise<ChunkRow[]> {
  return db
    .selectFrom('chunk')
    .select(['chunk', 'firstRowIndex', 'rowCount', 'rowIndexes', 'state', 'attempts'])
    .select(['startedAt', 'finishedAt', 'errorMessage'])
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .where('chunk', '>', page.after)
    .where('state', 'in', ['done', 'gave_up', 'dropped'])
    .orderBy('chunk')
    .limit(page.limit)
    .execute();
}

export interface RowFaultRow {
  rowIndex: number;
  code: string;
  message: string;
  attempt: number;
}

/** The failed rows of a run without what was in them, by row index. */
export function listRowFaults(
  db: Db,
  jobId: string,
  run: number,
  page: { after: number; limit: number },
): Promise<RowFaultRow[]> {
  return db
    .selectFrom('rowError')
    .select(['rowIndex', 'code', 'message', 'attempt'])
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .where('rowIndex', '>', page.after)
    .orderBy('rowIndex')
    .limit(page.limit)
    .execute();
}
