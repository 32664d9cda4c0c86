// Deployments: projects, stages, scenarios, artifacts, agents, and the history that outlives the job record.
import { sql, type Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(MODEL + AGENTS + HISTORY).execute(db);
}

const MODEL = `
create table project (
  id integer generated always as identity primary key,
  name text not null unique check (name ~ '^[A-Za-z0-9_-]{1,100}$'),
  created_by uuid not null,
  created_at timestamptz not null default gantry_now(),
  version integer not null default 1
);
create table project_member (
  project_id integer not null references project on delete cascade,
  user_id uuid not null references app_user on delete cascade,
  permissions text[] not null,
  primary key (project_id, user_id)
);
create index project_member_user on project_member (user_id);
create table stage (
  id integer generated always as identity primary key,
  project_id integer not null references project on delete cascade,
  name text not null check (name ~ '^[A-Za-z0-9_-]{1,100}$'),
  type text not null,
  target json not null,
  created_at timestamptz not null default gantry_now(),
  version integer not null default 1,
  unique (project_id, name)
);
create table scenario (
  id integer generated always as identity primary key,
  project_id integer not null references project on delete cascade,
  stage_id integer not null references stage,
  name text not null check (name ~ '^[A-Za-z0-9_-]{1,100}$'),
  description text not null default '' check (length(description) <= 500),
  config json not null,
  created_at timestamptz not null default gantry_now(),
  version integer not null default 1,
  unique (project_id, name)
);
create index scenario_stage on scenario (stage_id);
create table artifact (
  id integer generated always as identity primary key,
  project_id integer not null references project on delete cascade,
  name text not null check (length(name) between 1 and 255),
  version integer not null,
  size bigint not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  format text not null check (format in ('tar', 'tar.gz', 'zip', 'file')),
  -- File name under DATA_DIR/artifacts, made by us.
  stored_as text not null unique,
  created_by uuid not null,
  created_at timestamptz not null default gantry_now(),
  unique (project_id, name, version)
);
`;

const AGENTS = `
create table agent (
  id uuid primary key,
  -- SourceDeploy's shape names a server by a number.
  no integer generated always as identity unique,
  name text not null check (name ~ '^[A-Za-z0-9_.-]{1,100}$'),
  labels json not null,
  public_key text not null,
  host text,
  program_version text,
  enrolled_at timestamptz not null default gantry_now(),
  -- Refreshed every few seconds by the web process that holds the connection.
  connected_until timestamptz,
  last_seen_at timestamptz,
  revoked_at timestamptz
);
-- A machine set up anew may take the name of a revoked agent.
create unique index agent_name on agent (name) where revoked_at is null;
create table agent_enrolment (
  id uuid primary key,
  token_hash bytea not null unique,
  name text not null,
  labels json not null,
  created_by uuid not null,
  created_at timestamptz not null default gantry_now(),
  expires_at timestamptz not null,
  used_at timestamptz
);
`;

const HISTORY = `
-- status is one of SourceDeploy's words; job_id has no foreign key: the history outlives the job record.
create table deployment (
  id integer generated always as identity primary key,
  job_id uuid not null unique,
  project_id integer not null,
  project_name text not null,
  stage_id integer not null,
  stage_name text not null,
  stage_type text not null,
  scenario_id integer not null,
  scenario_name text not null,
  artifact_id integer not null,
  artifact_name text not null,
  artifact_version integer not null,
  config json not null,
  account_id uuid not null,
  account text not null,
  status text not null,
  reason text,
  created_at timestamptz not null default gantry_now(),
  started_at timestamptz,
  ended_at timestamptz,
  error text
);
create index deployment_created on deployment (created_at desc, id desc);
create index deployment_project on deployment (project_id, id desc);
create index deployment_scenario on deployment (scenario_id, id desc);

create type target_status as enum ('pending', 'standby', 'pre', 'deploy', 'post', 'success', 'fail', 'no_progress');

create table deployment_target (
  id integer generated always as identity primary key,
  deployment_id integer not null references deployment on delete cascade,
  position integer not null,
  agent_id uuid not null,
  agent_name text not null,
  status target_status not null default 'pending',
  epoch integer not null default 0,
  -- The signed command under way, kept until its last report.
  command_id uuid unique,
  command json,
  command_sent_at timestamptz,
  cause text,
  error text,
  updated_at timestamptz not null default gantry_now(),
  unique (deployment_id, position)
);
create index deployment_target_agent on deployment_target (agent_id) where status in ('pending', 'standby', 'pre', 'deploy', 'post');

create table deployment_step (
  target_id integer not null references deployment_target on delete cascade,
  step text not null check (step in ('pre', 'deploy', 'post')),
  status text not null check (status in ('inprogress', 'success', 'fail')),
  started_at timestamptz,
  ended_at timestamptz,
  error text,
  log text,
  primary key (target_id, step)
);

-- Reports already taken in, by the number the agent gave them: sent again, they are acknowledged and change nothing.
create table agent_report (
  command_id uuid not null,
  seq integer not null,
  received_at timestamptz not null default gantry_now(),
  primary key (command_id, seq)
);
`;
