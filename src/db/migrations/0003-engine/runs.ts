// Part of migration 0003: attempts, timeouts, isolation and the poison rule.
export const RUNS = `
-- Who worked on a run, when, and how that ended: one row for each claim of a job without rows. Work that several hold at
-- once (chunks) or that sleeps in between (processes) has one row for each worker, under epoch 0.
create table attempt (
  id bigint generated always as identity primary key,
  job_id uuid not null references job on delete cascade,
  run integer not null,
  epoch integer not null,
  worker_id uuid not null,
  host text not null,
  started_at timestamptz not null default gantry_now(),
  ended_at timestamptz,
  ended text check (ended in ('succeeded', 'completed_with_errors', 'failed', 'canceled', 'timed_out', 'retry_later',
    'handed_back', 'worker_lost', 'process_lost', 'waiting')),
  error_code text,
  error_message text,
  constraint attempt_end check ((ended_at is null) = (ended is null)),
  unique (job_id, run, worker_id, epoch)
);
create index attempt_open on attempt (worker_id) where ended_at is null;

-- Crashes of the process of its own that a suspect runs in, without a commit in between (poison rule).
alter table run add column lone_crashes integer not null default 0;
alter table chunk add column lone_crashes integer not null default 0;
-- What the kind's history said when the run ended.
alter table run add column expected_ms double precision;
-- As the kind said when the job was made; null: RETENTION_DAYS.
alter table job add column retention_days double precision check (retention_days > 0);
-- Slots taken by handlers that did not heed their signal.
alter table worker add column stuck integer not null default 0;

-- How long runs of a kind took: of a row for kinds with rows, else of a run, and how many rows they had. Newer runs weigh more.
create table kind_duration (
  kind text primary key,
  runs bigint not null default 0,
  mean_ms double precision not null default 0,
  mean_rows double precision not null default 1
);
`;
