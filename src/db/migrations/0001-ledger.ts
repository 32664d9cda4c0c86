// The ledger: jobs, runs, chunks, input, outcomes, events, log, outbox, notices, audit, people, operations, workers.
// Forward only and never changed once released; a later migration never breaks the version still running.
import { sql, type Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(CLOCK + PEOPLE + JOBS + DELIVERY + NOTICES + RECORDS).execute(db);
}

/** All time is the database's. The offset is a session setting that only tests use. */
const CLOCK = `
create function gantry_now() returns timestamptz language sql stable as $$
  select clock_timestamp() + coalesce(nullif(current_setting('gantry.clock_offset', true), '')::interval, interval '0')
$$;
`;

const PEOPLE = `
create type user_role as enum ('user', 'power_user', 'superadmin');

create table app_user (
  id uuid primary key,
  email text not null check (email = lower(email) and length(email) <= 320),
  name text not null check (length(name) between 1 and 200),
  role user_role not null,
  password_hash text,
  language text not null default 'en',
  time_zone text not null default 'UTC',
  notice_preference text not null default 'always' check (notice_preference in ('always', 'failures', 'never')),
  disabled_at timestamptz,
  created_at timestamptz not null default gantry_now(),
  updated_at timestamptz not null default gantry_now(),
  version integer not null default 1
);
create unique index app_user_email on app_user (email);
create index app_user_created on app_user (created_at desc, id desc);

-- id is the SHA-256 of the cookie's value: a stolen table opens no session.
create table session (
  id bytea primary key,
  user_id uuid references app_user on delete cascade,
  data json not null,
  created_at timestamptz not null default gantry_now(),
  expires_at timestamptz not null
);
create index session_by_user on session (user_id);
create index session_by_expiry on session (expires_at);

create table api_token (
  id uuid primary key,
  user_id uuid not null references app_user on delete cascade,
  name text not null check (length(name) between 1 and 200),
  token_hash bytea not null unique,
  created_at timestamptz not null default gantry_now(),
  expires_at timestamptz,
  last_used_at timestamptz
);
create index api_token_user on api_token (user_id, created_at desc, id desc);

-- Failed sign-ins: counted per account and per address over all web processes.
create table sign_in_failure (
  id bigint generated always as identity primary key,
  account text not null,
  address text not null,
  at timestamptz not null default gantry_now()
);
create index sign_in_failure_account on sign_in_failure (account, at);
create index sign_in_failure_address on sign_in_failure (address, at);

-- Values made at the first start and kept: the signing key pair of the server and the like, encrypted by SECRET_KEY.
create table setting (
  name text primary key,
  value json not null,
  updated_at timestamptz not null default gantry_now()
);

-- A mass action without code. secret_box is encrypted by SECRET_KEY and never shown again.
create table operation (
  key text primary key check (key ~ '^[a-z][a-z0-9_.-]{0,99}$'),
  title text not null check (length(title) between 1 and 200),
  menu text[] not null,
  endpoint text not null,
  supports_dry_run boolean not null default false,
  needs_approval boolean not null default false,
  secret_box text,
  chunk_size integer not null check (chunk_size between 1 and 1000),
  concurrency integer not null check (concurrency between 1 and 100),
  rate_per_second double precision check (rate_per_second > 0),
  timeout_ms integer not null,
  retry json not null,
  params_schema json,
  row_schema json,
  roles text[] not null,
  created_at timestamptz not null default gantry_now(),
  updated_at timestamptz not null default gantry_now(),
  version integer not null default 1,
  -- Token bucket of rate_per_second over all jobs and workers: rows may be sent from this moment on.
  rate_free_at timestamptz
);
`;

const JOBS = `
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

const DELIVERY = `
create table worker (
  id uuid primary key,
  host text not null,
  pid integer not null,
  version text not null,
  slots integer not null,
  busy integer not null default 0,
  memory_bytes bigint,
  state text not null default 'connected' check (state in ('connected', 'draining', 'stopped')),
  started_at timestamptz not null default gantry_now(),
  heartbeat_at timestamptz not null default gantry_now()
);
create index worker_heartbeat on worker (heartbeat_at desc, id desc);

-- What must reach a worker: one row for each run that is due or under way, written in the transaction that made it due.
-- The dispatcher deals from it; a run leaves it when it ends, pauses or sleeps.
create table outbox (
  job_id uuid not null references job on delete cascade,
  run integer not null,
  owner_id uuid not null,
  -- 'run': one message for the run; 'chunks': one for each chunk, a window at a time.
  shape text not null check (shape in ('run', 'chunks')),
  priority smallint not null default 0,
  -- Fast track: lower goes first within the owner and priority.
  rank bigint not null default 0,
  due_at timestamptz not null default gantry_now(),
  sent_at timestamptz,
  send integer not null default 0,
  -- Chunks of this run that may be on their way at once.
  max_on_way integer not null default 1,
  primary key (job_id)
);
create index outbox_due on outbox (priority desc, rank, due_at) where sent_at is null;
create index outbox_owner on outbox (owner_id, priority desc, rank, due_at) where sent_at is null;
create index outbox_sent on outbox (sent_at) where sent_at is not null;

-- Token bucket of a kind's rate over all jobs and workers: rows may be sent from free_at on.
create table kind_rate (
  kind text primary key,
  free_at timestamptz not null
);

-- Changes to be numbered after their commit by the dispatcher, and the numbered feed that browsers resume from.
create table change (
  id bigint generated always as identity primary key,
  topic text not null,
  subject_id text not null,
  owner_id uuid,
  at timestamptz not null default gantry_now()
);
create table feed (
  seq bigint generated always as identity primary key,
  topic text not null,
  subject_id text not null,
  owner_id uuid,
  run integer,
  version bigint not null,
  state text not null,
  at timestamptz not null default gantry_now()
);
create index feed_at on feed (at);

-- Recurring duties. The queue's scheduler only wakes; a due row is claimed once by its unique key.
create table schedule (
  name text primary key,
  cron text not null,
  next_due_at timestamptz not null
);
create table schedule_due (
  name text not null references schedule on delete cascade,
  due_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  result json,
  primary key (name, due_at)
);
`;

const NOTICES = `
create type notice_state as enum ('due', 'sending', 'sent', 'failed', 'unknown');

-- payload freezes what the notice says. No foreign key to the job: a deleted job's notice still goes out.
create table notice (
  id uuid primary key,
  job_id uuid not null,
  run integer not null,
  kind text not null,
  channel text not null default 'e-mail',
  recipient text not null,
  payload json not null,
  state notice_state not null default 'due',
  attempts integer not null default 0,
  due_at timestamptz not null default gantry_now(),
  lease_until timestamptz,
  created_at timestamptz not null default gantry_now(),
  sent_at timestamptz,
  last_error text,
  -- The link was lost when the message may have been taken: it is sent once more under the same Message-ID.
  ambiguous boolean not null default false,
  unique (job_id, run, kind, recipient)
);
create index notice_due on notice (due_at) where state in ('due', 'sending');
`;

const RECORDS = `
-- Append-only: a trigger refuses update and delete for every role.
create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default gantry_now(),
  actor_id uuid,
  actor_name text not null,
  action text not null,
  subject_type text not null,
  subject_id text not null,
  before json,
  after json,
  reason text,
  request_id text
);
create index audit_subject on audit (subject_type, subject_id, id desc);
create index audit_actor on audit (actor_id, id desc);
create function audit_is_append_only() returns trigger language plpgsql as $$
begin raise exception 'audit rows are append-only'; end $$;
create trigger audit_append_only before update or delete on audit for each statement execute function audit_is_append_only();

-- An Idempotency-Key, per user and route, kept 24 h. job_id null: the first call is still uploading.
create table idempotency (
  user_id uuid not null,
  route text not null,
  key text not null,
  job_hash bytea not null,
  job_id uuid,
  reserved_for uuid not null,
  created_at timestamptz not null default gantry_now(),
  primary key (user_id, route, key)
);
create index idempotency_created on idempotency (created_at);
`;
