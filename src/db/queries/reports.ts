// Lines of a run's result report and their counts by severity. Written by the runner's recorder under the lease.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import type { Lease } from './claims';

export type ReportSeverity = 'info' | 'warning' | 'error';

export interface ReportEntry {
  severity: ReportSeverity;
  message: string;
  /** JSON text, or null. */
  data: string | null;
}

export interface RunRecord {
  lines: number;
  bytes: number;
  errorsAfterCut: number;
  cut: boolean;
  infos: number;
  warnings: number;
  errors: number;
}

/** Locks the run's record, making it if need be. Null when the lease is lost: then nothing may be written. */
export async function lockRunRecord(tx: Tx, lease: Lease): Promise<RunRecord | null> {
  const held =
    lease.chunk === null
      ? sql`select 1 from run where job_id = ${lease.jobId} and run = ${lease.run} and epoch = ${lease.epoch} and finished_at is null`
      : sql`select 1 from chunk where job_id = ${lease.jobId} and run = ${lease.run} and chunk = ${lease.chunk} and epoch = ${lease.epoch}`;
  const { rows } = await sql<RunRecord>`
    insert into run_record as r (job_id, run) select ${lease.jobId}::uuid, ${lease.run}::int where exists (${held})
    on conflict (job_id, run) do update set lines = r.lines
    returning r.lines, r.bytes, r.errors_after_cut, r.cut, r.infos, r.warnings, r.errors`.execute(tx);
  return rows[0] ?? null;
}

/** Entries of one run that are kept; later ones are only counted. */
export const MAX_ENTRIES = 1000;

/** Appends in the order given. Nothing is written under a lost lease. */
export async function appendReport(db: Db, lease: Lease, entries: ReportEntry[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const record = await lockRunRecord(tx, lease);
    if (!record) return;
    const before = record.infos + record.warnings + record.errors;
    const kept = entries.slice(0, Math.max(0, MAX_ENTRIES - before));
    const count = (severity: ReportSeverity): number => entries.filter((entry) => entry.severity === severity).length;
    await sql`
      with counted as (
        update run_record set infos = infos + ${count('info')}, warnings = warnings + ${count('warning')},
          errors = errors + ${count('error')}
        where job_id = ${lease.jobId} and run = ${lease.run})
      insert into report_entry (job_id, run, entry, severity, message, data)
      select ${lease.jobId}, ${lease.run}, ${before}::int + place, severity, message, data::json
      from unnest(${kept.map((entry) => entry.severity)}::text[], ${kept.map((entry) => entry.message)}::text[],
        ${kept.map((entry) => entry.data)}::text[]) with ordinality as entry(severity, message, data, place)`.execute(
      tx,
    );
  });
}

export interface RunReport {
  /** The object that the handler returned, as JSON text. */
  result: string | null;
  infos: number;
  warnings: number;
  errors: number;
}

/** Null when the run made no report. */
export async function findRunReport(db: Db, jobId: string, run: number): Promise<RunReport | null> {
  const { rows } = await sql<RunReport>`
    select run.report as result, coalesce(r.infos, 0) as infos, coalesce(r.warnings, 0) as warnings, coalesce(r.errors, 0) as errors
    from run left join run_record r on r.job_id = run.job_id and r.run = run.run
    where run.job_id = ${jobId} and run.run = ${run}
      and (run.report is not null or r.infos + r.warnings + r.errors > 0)`.execute(db);
  return rows[0] ?? null;
}

/** In the order in which they were reported. */
export async function listReportEntries(db: Db, jobId: string, run: number): Promise<ReportEntry[]> {
  const rows = await db
    .selectFrom('reportEntry')
    .select(['severity', 'message', 'data'])
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .orderBy('entry')
    .execute();
  return rows as ReportEntry[];
}
