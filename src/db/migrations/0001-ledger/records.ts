// Part of migration 0001: delivery (workers, outbox, feed, schedules), notices, audit, idempotency keys.
export const DELIVERY = `
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

export const NOTICES = `
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

export const RECORDS = `
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
