// How long runs of a kind take: a running mean, of a row for kinds with rows, else of a run.
// Learned by finishRun inside its transaction; read with every job.
import { sql } from 'kysely';
import type { Tx } from '../database';

/** Runs that must have ended well before a duration is expected of the next. */
const HISTORY_FROM_RUNS = 5;
/** What runs of some rows took says nothing about runs of so many times more, or less. */
const COMPARABLE = 10;
/** The newest runs weigh like this many, so that the mean follows what changed. */
const WEIGHT_RUNS = 50;

/**
 * What the history says of a run; null where nothing comparable has run.
 * @param history the alias of kind_duration, total that of the run's rows.
 */
export function expectedMs(history: string, total: string) {
  const of = (column: string) => sql.ref(`${history}.${column}`);
  const rows = sql`coalesce(${sql.ref(total)}, 1)`;
  return sql<number | null>`case when ${of('runs')} >= ${sql.lit(HISTORY_FROM_RUNS)}
    and ${rows} between ${of('mean_rows')} / ${sql.lit(COMPARABLE)} and ${of('mean_rows')} * ${sql.lit(COMPARABLE)}
    then ${of('mean_ms')} * ${rows} end`;
}

/**
 * Takes a duration into the kind's history. Never waits: while another ending holds the kind's row, this one is left out,
 * which costs a mean nothing and keeps endings from queueing up behind each other.
 */
export async function learnDuration(tx: Tx, kind: string, ms: number, rows: number): Promise<void> {
  await sql`
    with known as (select kind, 1.0 / least(runs + 1, ${WEIGHT_RUNS}) as weight from kind_duration where kind = ${kind}
        for update skip locked),
    learned as (
      update kind_duration d set runs = d.runs + 1, mean_ms = d.mean_ms + weight * (${ms}::float8 - d.mean_ms),
        mean_rows = d.mean_rows + weight * (${rows}::float8 - d.mean_rows)
      from known where d.kind = known.kind returning 1)
    insert into kind_duration (kind, runs, mean_ms, mean_rows) select ${kind}, 1, ${ms}::float8, ${rows}::float8
    where not exists (select 1 from known) and not exists (select 1 from kind_duration where kind = ${kind})
    on conflict do nothing`.execute(tx);
}
