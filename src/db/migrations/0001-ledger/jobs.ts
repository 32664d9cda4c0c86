// Part of migration 0001: jobs, runs, chunks, input rows and what became of them, timeline and log.
export const JOBS = `
create type job_state as enum ('scheduled', 'awaiting_approval', 'queued', 'running', 'paused', 'canceling',
  'succeeded', 'completed_with_errors', 'failed', 'canceled', 'rejected', 'withdrawn', 'expired');
create type chunk_state as enum ('pending', 'running', 'done', 'gave_up', 'dropped');
create type run_scope as enum ('all', 'failed', 'unfinished');

create table job (
  id uuid primary key,
  kind text not null check (length(kind) between 1 and 200),
  title text not null check (length(title) between 1 and 500),
  state job_state not null,
  -- Finer than the state: 'pausing', 'confirming', 'standby' and the like.
  phase text,
  -- No foreign key: jobs stay under the name they had when their user is deleted.
  owner_id uuid not null,
  owner_name text not null,
  owner_email text not null,
  priority smallint not null default 0 check (priority between -100 and 100),
  -- The latest run.
  run integer not null default 1 check (run >= 1),
  params json not null,
  -- 'json' | 'ndjson' | 'csv'; null for jobs without rows. input_columns: the CSV header as sent.
  input_format text check (input_format in ('json', 'ndjson', 'csv')),
  input_columns json,
  row_total bigint,
  input_sha256 bytea,
  derived_from uuid,
  notify_email boolean not null default true,
  notify_to text,
  trial integer check (trial > 0),
  max_failed bigint check (max_failed >= 0),
  max_failed_percent double precision check (max_failed_percent between 0 and 100),
  limit_then text not null default 'pause' check (limit_then in ('pause', 'fail')),
  -- Why it is paused: 'trial', 'limit' or 'user'; the first two the owner may resume.
  waiting_for text,
  -- The trial or limit was answered by a resume and does not stop this run again.
  trial_passed boolean not null default false,
  limit_passed boolean not null default false,
  run_at timestamptz,
  -- The end of a wait of a process (deadline of waitFor).
  wake_at timestamptz,
  -- Each waker bumps it; a tick may only go to sleep where it is as the tick saw it.
  wake_seq bigint not null default 0,
  created_at timestamptz not null default gantry_now(),
  queued_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  purge_at timestamptz,
  cancel_requested_at timestamptz,
  cancel_reason text,
  error_code text,
  error_message text,
  version bigint not null default 1,
  -- A tombstone: set, the job is gone for every reader; its rows follow in batches.
  deleted_at timestamptz,
  constraint job_final_has_end check ((state in ('succeeded', 'completed_with_errors', 'failed', 'canceled', 'rejected', 'withdrawn', 'expired')) = (finished_at is not null)),
  constraint job_end_has_purge check ((finished_at is null) = (purge_at is null))
);
create index job_created on job (created_at desc, id desc) where deleted_at is null;
create index job_owner_created on job (owner_id, created_at desc, id desc) where deleted_at is null;
create index job_state_created on job (state, created_at desc, id desc) where deleted_at is null;
create index job_kind_created on job (kind, created_at desc, id desc) where deleted_at is null;
create index job_finished on job (finished_at desc, id desc) where deleted_at is null;
create index job_priority on job (priority desc, id desc) where deleted_at is null;
create index job_purge on job (purge_at) where purge_at is not null;
create index job_run_at on job (run_at) where state = 'scheduled';
create index job_pausing on job (id) where phase = 'pausing';
create index job_wake_at on job (wake_at) where wake_at is not null;
create index job_tombstone on job (deleted_at) where deleted_at is not null;

-- One execution of a job. Counts are those of this run and never fall.
create table run (
  job_id uuid not null references job on delete cascade,
  run integer not null,
  scope run_scope not null default 'all',
  requested_by text,
  -- Rises with each claim; every write of a worker carries the epoch it claimed.
  epoch integer not null default 0,
  worker_id uuid,
  host text,
  lease_until timestamptz,
  queued_at timestamptz not null default gantry_now(),
  started_at timestamptz,
  finished_at timestamptz,
  outcome job_state,
  total bigint,
  good bigint not null default 0,
  failed bigint not null default 0,
  skipped bigint not null default 0,
  -- Progress of jobs without rows, as their handler tells it: of progress_total.
  progress_done bigint not null default 0,
  progress_total bigint,
  note text,
  -- Chunks that are not yet done, given up or dropped; whoever brings it to zero ends the run.
  open_chunks integer not null default 0,
  -- Crashes without a commit in between (poison rule).
  crashes integer not null default 0,
  paused_at timestamptz,
  paused_ms bigint not null default 0,
  error_code text,
  error_message text,
  report json,
  primary key (job_id, run)
);
create index run_lease on run (lease_until) where lease_until is not null;

-- The rows as sent in, immutable, one line a row: the NDJSON line, or the CSV cells as a JSON array of strings.
-- Staged before the job is published, therefore no foreign key; an upload that broke off is cleared by its upload row.
create table job_input (
  job_id uuid not null,
  input_chunk integer not null,
  first_row_index bigint not null,
  row_count integer not null,
  rows text not null,
  primary key (job_id, input_chunk)
);
-- Finds the input chunk of a row.
create unique index job_input_row on job_input (job_id, first_row_index);
create table upload (
  job_id uuid primary key,
  user_id uuid not null,
  touched_at timestamptz not null default gantry_now()
);
create index upload_touched on upload (touched_at);

-- What became of each row over all runs: one bit a row of the input chunk. good: succeeded or skipped in some run;
-- failed: the last outcome was a failure.
create table row_outcome (
  job_id uuid not null references job on delete cascade,
  input_chunk integer not null,
  good bytea not null,
  failed bytea not null,
  primary key (job_id, input_chunk)
);

-- A run's share of an input chunk. row_indexes: null for all rows of [first_row_index, first_row_index + row_count).
create table chunk (
  job_id uuid not null,
  run integer not null,
  chunk integer not null,
  input_chunk integer not null,
  first_row_index bigint not null,
  row_count integer not null,
  row_indexes bigint[],
  state chunk_state not null default 'pending',
  -- Tries of the handler that ended with an error (5xx, timeout …).
  attempts integer not null default 0,
  epoch integer not null default 0,
  worker_id uuid,
  lease_until timestamptz,
  due_at timestamptz not null default gantry_now(),
  -- On its way: a message of number send was handed to the queue then.
  sent_at timestamptz,
  send integer not null default 0,
  crashes integer not null default 0,
  started_at timestamptz,
  finished_at timestamptz,
  error_code text,
  error_message text,
  primary key (job_id, run, chunk),
  foreign key (job_id, run) references run on delete cascade
);
create index chunk_pending on chunk (job_id, run, chunk) where state = 'pending' and sent_at is null;
create index chunk_on_way on chunk (job_id, run, sent_at) where sent_at is not null and state in ('pending', 'running');
create index chunk_lease on chunk (lease_until) where state = 'running';

create table row_error (
  job_id uuid not null,
  run integer not null,
  row_index bigint not null,
  code text not null,
  message text not null,
  attempt integer not null default 1,
  primary key (job_id, run, row_index),
  foreign key (job_id, run) references run on delete cascade
);
create index row_error_code on row_error (job_id, run, code, row_index);

create table job_event (
  id bigint generated always as identity primary key,
  job_id uuid not null references job on delete cascade,
  run integer not null,
  type text not null,
  at timestamptz not null default gantry_now(),
  actor_id uuid,
  actor_name text,
  data json
);
create index job_event_job on job_event (job_id, id);

-- seq orders the lines whatever the workers' clocks say.
create table log_line (
  job_id uuid not null references job on delete cascade,
  seq bigint generated always as identity,
  run integer not null,
  at timestamptz not null default gantry_now(),
  level text not null check (level in ('debug', 'info', 'warn', 'error')),
  message text not null,
  primary key (job_id, seq)
);
`;
