// The register of worker processes. A worker counts as live while its heartbeat is younger than a lease.
import { sql } from 'kysely';
import type { Db } from '../database';

export interface WorkerFacts {
  id: string;
  host: string;
  pid: number;
  version: string;
  slots: number;
}

export async function insertWorker(db: Db, worker: WorkerFacts): Promise<void> {
  await sql`
    insert into worker (id, host, pid, version, slots)
    values (${worker.id}, ${worker.host}, ${worker.pid}, ${worker.version}, ${worker.slots})`.execute(db);
}

/** Written again whole, should maintenance have taken the row of a worker that was cut off for long. */
export async function beatWorker(
  db: Db,
  worker: WorkerFacts,
  now: { busy: number; stuck: number; memoryBytes: number; state: 'connected' | 'draining' },
): Promise<void> {
  await sql`
    insert into worker (id, host, pid, version, slots, busy, stuck, memory_bytes, state)
    values (${worker.id}, ${worker.host}, ${worker.pid}, ${worker.version}, ${worker.slots}, ${now.busy}, ${now.stuck}, ${now.memoryBytes}, ${now.state})
    on conflict (id) do update set busy = excluded.busy, stuck = excluded.stuck, memory_bytes = excluded.memory_bytes, state = excluded.state,
      heartbeat_at = gantry_now()`.execute(db);
}

export async function markWorkerStopped(db: Db, id: string): Promise<void> {
  await sql`update worker set state = 'stopped', busy = 0, stuck = 0, heartbeat_at = gantry_now() where id = ${id}`.execute(
    db,
  );
}

export interface WorkerRow extends WorkerFacts {
  busy: number;
  /** Slots taken by handlers that did not heed their signal. */
  stuck: number;
  memoryBytes: number | null;
  state: string;
  startedAt: Date;
  heartbeatAt: Date;
}

/** Newest heartbeat first. */
export async function listWorkers(
  db: Db,
  options: { after?: { heartbeatAt: Date; id: string }; limit: number },
): Promise<WorkerRow[]> {
  const { rows } = await sql<WorkerRow>`
    select id, host, pid, version, slots, busy, stuck, memory_bytes, state, started_at, heartbeat_at from worker
    ${options.after ? sql`where (heartbeat_at, id) < (${options.after.heartbeatAt}, ${options.after.id}::uuid)` : sql``}
    order by heartbeat_at desc, id desc limit ${options.limit}`.execute(db);
  return rows;
}

export interface HeldWork {
  workerId: string;
  jobId: string;
  run: number;
  chunk: number | null;
  kind: string;
  title: string;
}

/** More than this is nobody's to read. */
const MAX_HELD = 2000;

/** What these workers hold now: runs, and chunks of runs. */
export async function listHeldWork(db: Db, workerIds: string[]): Promise<HeldWork[]> {
  if (workerIds.length === 0) return [];
  const { rows } = await sql<HeldWork>`
    select held.worker_id, held.job_id, held.run, held.chunk, job.kind, job.title from (
      select worker_id, job_id, run, null::int as chunk from run
        where lease_until is not null and finished_at is null and worker_id = any(${workerIds}::uuid[])
      union all
      select worker_id, job_id, run, chunk from chunk where state = 'running' and worker_id = any(${workerIds}::uuid[])
      limit ${MAX_HELD}) held
    join job on job.id = held.job_id where job.deleted_at is null order by held.job_id, held.chunk`.execute(db);
  return rows;
}

/** Rows of workers that fell silent long ago. */
export async function pruneWorkers(db: Db, silentMs: number, limit: number): Promise<number> {
  const { rows } = await sql`
    delete from worker where id in (select id from worker
      where heartbeat_at < gantry_now() - ${silentMs}::float8 * interval '1 millisecond' limit ${limit}) returning 1`.execute(
    db,
  );
  return rows.length;
}
