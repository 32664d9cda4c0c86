// Part of migration 0003: commands on sets of jobs, and resubmitted jobs.
export const BULK = `
-- A command on a set of jobs, frozen when it was asked for. No foreign keys to jobs or people: both may be deleted since.
create table bulk_action (
  id uuid primary key,
  action text not null,
  -- What the command takes besides the job: only, code, priority, reason.
  input json not null,
  -- The filter as it was sent, or the number of ids.
  selection json not null,
  state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'aborted')),
  owner_id uuid not null,
  owner_name text not null,
  owner_email text not null,
  -- The role under which it was asked for: whoever has a lesser one since carries nothing out any more.
  owner_role user_role not null,
  request_id text,
  total integer not null default 0,
  -- Written once, at its end: { succeeded, failed, skippedBy }.
  counts json,
  -- Why it was aborted, when nobody asked for that.
  abort_why text,
  created_at timestamptz not null default gantry_now(),
  -- Nothing is carried out before: the time to undo.
  starts_at timestamptz not null,
  finished_at timestamptz
);
create index bulk_action_owner on bulk_action (owner_id, id desc);
create index bulk_action_open on bulk_action (starts_at) where state in ('waiting', 'running');
create index bulk_action_finished on bulk_action (finished_at) where finished_at is not null;

create table bulk_item (
  bulk_id uuid not null references bulk_action on delete cascade,
  place integer not null,
  job_id uuid not null,
  -- As they were when the set was frozen; null for an id that names no job of the asker's.
  title text,
  seen_state job_state,
  seen_run integer,
  result text not null default 'waiting' check (result in ('waiting', 'succeeded', 'skipped', 'failed')),
  code text,
  message text,
  attempts smallint not null default 0,
  -- Whoever holds it: a result is only written under the claim, in the transaction of the command.
  claim uuid,
  lease_until timestamptz,
  primary key (bulk_id, place)
);
create index bulk_item_waiting on bulk_item (bulk_id, place) where result = 'waiting';
`;
