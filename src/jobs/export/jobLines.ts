// The list of jobs as lines of a file, all columns of a job: CSV with formulas neutralised, or NDJSON. Streams with flat memory.
// Called by GET /export/jobs.csv and by the kind jobs.export.
import type { Db } from '../../db/database';
import { listJobs, type JobFilter, type JobRow, type SortKey } from '../../db/queries/jobs';
import { csvLine } from '../massActions/errorFile';

const PAGE = 500;

type Value = string | number | null;

const iso = (at: Date | null): string | null => at?.toISOString() ?? null;
const spanOf = (from: Date | null, to: Date | null): number | null =>
  from && to ? Math.max(0, to.getTime() - from.getTime()) : null;

/** In the order of the columns. */
const COLUMNS: Record<string, (row: JobRow) => Value> = {
  id: (row) => row.id,
  kind: (row) => row.kind,
  title: (row) => row.title,
  state: (row) => row.state,
  owner: (row) => row.ownerEmail,
  createdAt: (row) => iso(row.createdAt),
  startedAt: (row) => iso(row.startedAt),
  finishedAt: (row) => iso(row.finishedAt),
  total: (row) => row.total ?? row.progressTotal,
  good: (row) => row.good,
  failed: (row) => row.failed,
  skipped: (row) => row.skipped,
  host: (row) => row.host,
  ownerName: (row) => row.ownerName,
  phase: (row) => row.phase,
  waitingFor: (row) => row.waitingFor,
  run: (row) => row.run,
  priority: (row) => row.priority,
  runAt: (row) => iso(row.runAt),
  queuedAt: (row) => iso(row.queuedAt),
  purgeAt: (row) => iso(row.purgeAt),
  waitMs: (row) => spanOf(row.queuedAt, row.startedAt),
  processMs: (row) => spanOf(row.startedAt, row.finishedAt),
  note: (row) => row.note,
  cancelReason: (row) => row.cancelReason,
  errorCode: (row) => row.errorCode,
  errorMessage: (row) => row.errorMessage,
  derivedFrom: (row) => row.derivedFrom,
  params: (row) => row.params,
};

export interface JobLine {
  text: string;
  /** 0 for the header. */
  rows: 0 | 1;
}

export async function* jobLines(db: Db, filter: JobFilter, format: 'csv' | 'ndjson'): AsyncGenerator<JobLine> {
  const columns = Object.entries(COLUMNS);
  if (format === 'csv') yield { text: csvLine(Object.keys(COLUMNS)), rows: 0 };
  for await (const row of allJobs(db, filter)) {
    const values = columns.map(([name, valueOf]) => [name, valueOf(row)] as const);
    const text =
      format === 'csv'
        ? csvLine(values.map(([, value]) => String(value ?? '')))
        : `${JSON.stringify({ ...Object.fromEntries(values), params: JSON.parse(row.params) as unknown })}\n`;
    yield { text, rows: 1 };
  }
}

async function* allJobs(db: Db, filter: JobFilter): AsyncGenerator<JobRow> {
  for (let after: { key: SortKey; id: string } | null = null; ;) {
    const page = { sort: 'createdAt', descending: true, after, limit: PAGE } as const;
    const rows: Awaited<ReturnType<typeof listJobs>> = await listJobs(db, filter, page);
    yield* rows;
    const last = rows[rows.length - 1];
    if (rows.length < PAGE || !last) return;
    after = { key: last.sortKey, id: last.id };
  }
}
