// Part of migration 0003: sorts and saved filters of the job list, hidden kinds, scopes of tokens, sign-in by OIDC, the chain of the audit.
export const PEOPLE = `
-- Sorts of the job list by account, state and kind.
create index job_owner_sort on job (owner_email desc, id desc) where deleted_at is null;
create index job_state_sort on job (state desc, id desc) where deleted_at is null;
create index job_kind_sort on job (kind desc, id desc) where deleted_at is null;

create table saved_filter (
  id uuid primary key,
  user_id uuid not null references app_user on delete cascade,
  name text not null check (length(name) between 1 and 30),
  -- As the parameters of GET /jobs.
  filter json not null,
  shared boolean not null default false,
  created_at timestamptz not null default gantry_now(),
  updated_at timestamptz not null default gantry_now(),
  version integer not null default 1
);
create unique index saved_filter_name on saved_filter (user_id, lower(name));
create index saved_filter_shared on saved_filter (id) where shared;

-- Kinds that the user does not want in lists.
alter table app_user add column hidden_kinds text[] not null default '{}';

-- Null: all that the user may do.
alter table api_token add column scopes text[];

-- Whom an identity provider calls by which name. The account is found by it, whatever its address becomes.
create table oidc_identity (
  issuer text not null,
  subject text not null,
  user_id uuid not null references app_user on delete cascade,
  created_at timestamptz not null default gantry_now(),
  primary key (issuer, subject)
);
create index oidc_identity_user on oidc_identity (user_id);

-- Chains the audit rows after their commit, in the order of their ids: hash = sha256(hash before || the row). Whoever changes,
-- removes or slips in a row breaks the chain.
create table audit_chain (
  audit_id bigint primary key,
  hash bytea not null
);
create trigger audit_chain_append_only before update or delete or truncate on audit_chain
  for each statement execute function audit_is_append_only();
create trigger audit_no_truncate before truncate on audit for each statement execute function audit_is_append_only();
create index audit_action on audit (action, id desc);
create index audit_at on audit using brin (at);
create index audit_request on audit (request_id) where request_id is not null;
`;
