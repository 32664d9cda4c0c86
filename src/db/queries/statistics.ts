// Counters of runs for charts and figures: rows that a trigger appends for each run made, started or ended (run_tally) are added
// up a minute and kind, later by the hour, at last in one row for ever, so that sums over all of them never fall.
import { sql, type RawBuilder } from 'kysely';
import type { Db } from '../database';

const OUTCOMES = [
  'succeeded',
  'completed_with_errors',
  'failed',
  'canceled',
  'rejected',
  'withdrawn',
  'expired',
] as const;
const COUNTS = ['created', 'started', ...OUTCOMES, 'rows_good', 'rows_failed', 'wait_ms', 'process_ms'] as const;

const list = (each: (column: string) => string): RawBuilder<unknown> => sql.raw(COUNTS.map(each).join(', '));
const ADDED = list((column) => `${column} = s.${column} + excluded.${column}`);
const SUMS = list((column) => `sum(${column})::bigint as ${column}`);
const NAMES = list((column) => column);

/** Upper bounds in seconds of the distributions of waiting and processing time. */
export const DURATION_BOUNDS = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800, 3600, 21_600] as const;
const BOUNDS = sql.raw(`array[${DURATION_BOUNDS.join(', ')}, 'infinity']::float8[]`);

/** Adds appended rows up. Each is counted once: it goes in the statement that counts it. @returns how many there were. */
export async function rollTallies(db: Db, limit: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    with gone as (
      delete from run_tally where ctid = any(array(select ctid from run_tally limit ${limit})) returning *),
    added as (
      insert into statistic as s (step, at, kind, ${NAMES})
      select 'minute', date_trunc('minute', at), kind, count(*) filter (where what = 'created'), count(*) filter (where what = 'started'),
        ${sql.raw(OUTCOMES.map((outcome) => `count(*) filter (where what = '${outcome}')`).join(', '))},
        sum(good), sum(failed), coalesce(sum(wait_ms), 0), coalesce(sum(process_ms), 0)
      from gone group by 2, 3 order by 2, 3
      on conflict (step, at, kind) do update set ${ADDED}),
    durations as (
      insert into duration_count as d (kind, measure, at_most, runs)
      select kind, measure, (select min(bound) from unnest(${BOUNDS}) bound where bound >= ms / 1000.0), count(*)
      from gone, lateral (values ('wait', wait_ms), ('process', process_ms)) as taken(measure, ms)
      where ms is not null group by 1, 2, 3 order by 1, 2, 3
      on conflict (kind, measure, at_most) do update set runs = d.runs + excluded.runs)
    select count(*)::int as count from gone`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Two days of minutes, ninety of hours. */
const COARSER = [
  { from: 'minute', to: 'hour', at: "date_trunc('hour', at)", keep: '2 days' },
  { from: 'hour', to: 'ever', at: "timestamptz 'epoch'", keep: '90 days' },
] as const;

/** Moves old counters into coarser ones. @returns how many. */
export async function coarsenStatistics(db: Db, limit: number): Promise<number> {
  let moved = 0;
  for (const { from, to, at, keep } of COARSER) {
    const { rows } = await sql<{ count: number }>`
      with gone as (
        delete from statistic where ctid = any(array(select ctid from statistic
          where step = ${from} and at < date_trunc('hour', gantry_now() - ${keep}::interval) order by at limit ${limit}))
        returning *),
      added as (
        insert into statistic as s (step, at, kind, ${NAMES})
        select ${to}, ${sql.raw(at)}, kind, ${SUMS} from gone group by 2, 3 order by 2, 3
        on conflict (step, at, kind) do update set ${ADDED})
      select count(*)::int as count from gone`.execute(db);
    moved += rows[0]?.count ?? 0;
  }
  return moved;
}

export interface Counts {
  created: number;
  started: number;
  succeeded: number;
  completedWithErrors: number;
  failed: number;
  canceled: number;
  rejected: number;
  withdrawn: number;
  expired: number;
  rowsGood: number;
  rowsFailed: number;
  waitMs: number;
  processMs: number;
}

export interface StatisticRow extends Counts {
  at: Date;
  kind: string;
}

export interface StatisticFilter {
  since: Date;
  until: Date;
  step: 'minute' | 'hour' | 'day';
  kind?: string | undefined;
}

/** By time, then kind. Beyond two days there are hours where minutes were asked for. */
export async function listStatistics(
  db: Db,
  filter: StatisticFilter,
  page: { after: { at: Date; kind: string } | null; limit: number },
): Promise<StatisticRow[]> {
  const { after } = page;
  const bucket = sql`date_trunc(${filter.step}::text, at)`;
  const { rows } = await sql<StatisticRow>`
    select * from (
      select ${bucket} as at, kind, ${SUMS} from statistic
      where step in ('minute', 'hour') and at >= ${filter.since} and at < ${filter.until}
        ${filter.kind === undefined ? sql`` : sql`and kind = ${filter.kind}`}
      group by 1, 2) counted
    ${after ? sql`where (at, kind) > (${after.at}, ${after.kind})` : sql``}
    order by at, kind limit ${page.limit}`.execute(db);
  return rows;
}

/** Of each kind since it was first run; those run most often first. */
export async function readTotals(db: Db, limit: number): Promise<(Counts & { kind: string })[]> {
  const { rows } = await sql<Counts & { kind: string }>`
    select kind, ${SUMS} from statistic group by kind order by sum(created) desc, kind limit ${limit}`.execute(db);
  return rows;
}

export interface DurationRow {
  kind: string;
  measure: 'wait' | 'process';
  /** Seconds; Infinity for those beyond every bound. */
  atMost: number;
  runs: number;
}

export async function readDurations(db: Db, kinds: string[]): Promise<DurationRow[]> {
  if (kinds.length === 0) return [];
  const { rows } = await sql<DurationRow>`
    select kind, measure, at_most, runs from duration_count where kind = any(${kinds}::text[])
    order by kind, measure, at_most`.execute(db);
  return rows;
}

/** Runs made and ended in the last `minutes`, what is not yet added up included. */
export async function readFlow(db: Db, minutes: number): Promise<{ created: number; ended: number }> {
  const since = sql`gantry_now() - ${minutes}::int * interval '1 minute'`;
  const ended = sql.raw(OUTCOMES.join(' + '));
  const { rows } = await sql<{ created: number; ended: number }>`
    select coalesce(sum(created), 0)::bigint as created, coalesce(sum(ended), 0)::bigint as ended from (
      select created, ${ended} as ended from statistic where step = 'minute' and at >= ${since}
      union all
      select (what = 'created')::int, (what not in ('created', 'started'))::int from run_tally where at >= ${since}) flow`.execute(
    db,
  );
  return rows[0] ?? { created: 0, ended: 0 };
}
