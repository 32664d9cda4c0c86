// Part of migration 0001: the clock of all SQL, people and what lets them in, settings, operations.
export const CLOCK = `
create function gantry_now() returns timestamptz language sql stable as $$
  select clock_timestamp() + coalesce(nullif(current_setting('gantry.clock_offset', true), '')::interval, interval '0')
$$;
`;

export const PEOPLE = `
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
  -- Jobs that ended until then were seen in the notification area.
  notifications_read_at timestamptz not null default gantry_now(),
  created_at timestamptz not null default gantry_now(),
  updated_at timestamptz not null default gantry_now(),
  version integer not null default 1
);
create unique index app_user_email on app_user (email);

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
  version integer not null default 1
);
`;
