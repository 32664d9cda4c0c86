// Part of migration 0003: what undo needs (earlier values of rows), the pace of kinds for adaptive chunks, the files that jobs
// make, and the job that an audit row came from.
export const UNDO = `
-- The job that this one takes back, and the latest job that takes this one back. No foreign keys: either may be purged first.
alter table job add column undo_of uuid;
alter table job add column undone_by uuid;

-- What the subject of a good row was before the row took effect. Goes when the row is taken back, or with the job.
-- seq rises in the order in which rows of one subject took effect: undo goes the other way.
-- No foreign key: a chunk's completion takes no lock on the job for it.
create table undo_value (
  job_id uuid not null,
  row_index bigint not null,
  seq bigint generated always as identity,
  before json not null,
  primary key (job_id, row_index)
);
create index undo_value_order on undo_value (job_id, seq desc);

alter table operation add column supports_undo boolean not null default false;
alter table operation add column adaptive boolean not null default false;

-- How long a row of an adaptive kind takes: weighted, so that the last chunks count most.
create table kind_pace (
  kind text primary key,
  ms_per_row double precision not null check (ms_per_row >= 0),
  updated_at timestamptz not null default gantry_now()
);

-- The file that a job made, written whole in one transaction and read part by part.
create table job_file (
  job_id uuid primary key references job on delete cascade,
  name text not null,
  type text not null,
  rows bigint not null
);
create table job_file_part (
  job_id uuid not null references job on delete cascade,
  part integer not null,
  content text not null,
  primary key (job_id, part)
);

-- Null: done by a person or by Gantry itself, not by the work of a job.
alter table audit add column job_id uuid;
create index audit_job on audit (job_id, id desc) where job_id is not null;
`;
