// Part of migration 0003: requests for approval, their rules and the decisions on them.
export const APPROVALS = `
-- How a request of this operation is decided (jobs/approvals/rules.ts); null: the standard rules.
alter table operation add column approval json;

-- A run that asked for approval, with the rules it was asked under: never changed. It is open while its job awaits approval in
-- this run. approvers: e-mail addresses of those who may decide; null: every superadmin.
create table approval (
  job_id uuid not null,
  run integer not null,
  requester_id uuid not null,
  requester_name text not null,
  requested_at timestamptz not null default gantry_now(),
  expires_at timestamptz not null,
  quorum integer not null check (quorum >= 1),
  approvers text[],
  request_hash bytea not null,
  primary key (job_id, run),
  foreign key (job_id, run) references run on delete cascade
);

-- Who decided what, in the order they did; one approval a person. No foreign key to the user: what was decided stays.
create table approval_decision (
  id bigint generated always as identity primary key,
  job_id uuid not null,
  run integer not null,
  user_id uuid not null,
  user_name text not null,
  decision text not null check (decision in ('approved', 'rejected', 'withdrawn')),
  reason text,
  -- The link in the mail was used, nobody signed in.
  by_link boolean not null default false,
  at timestamptz not null default gantry_now(),
  unique (job_id, run, user_id, decision),
  foreign key (job_id, run) references approval on delete cascade
);
`;
