// Part of migration 0003: the log's numbering and cap, report lines, counters for charts, and the trace a job belongs to.
/**
 * Goes first: numbering many lines takes a while, and until then nothing is locked but the log, so that the leases of running work
 * are renewed meanwhile.
 */
export const LOG_NUMBERS = `
-- Numbers the lines of each run from 1 on without gaps, in the order in which they can be read: the counter's row (run_record) is
-- locked until they are committed. Writers that know of it number their lines themselves; for the version before a trigger does.
alter table log_line add column line bigint;
update log_line set line = numbered.line
  from (select job_id, seq, row_number() over (partition by job_id, run order by seq) as line from log_line) numbered
  where log_line.job_id = numbered.job_id and log_line.seq = numbered.seq;
create unique index log_line_run on log_line (job_id, run, line);
`;

export const SEEING = `
-- The W3C traceparent of the request that made the job; its workers' spans join that trace.
alter table job add column trace_parent text;
-- The highest share that a job without rows told: its total may rise, what is shown may not fall.
alter table run add column progress_percent smallint not null default 0;

-- What was told about a run so far: the last line number of its log, and the lines of its report by severity.
create table run_record (
  job_id uuid not null references job on delete cascade,
  run integer not null,
  lines bigint not null default 0,
  bytes bigint not null default 0,
  -- Errors kept after the log was cut, and whether the notice that says so was written.
  errors_after_cut bigint not null default 0,
  cut boolean not null default false,
  infos bigint not null default 0,
  warnings bigint not null default 0,
  errors bigint not null default 0,
  primary key (job_id, run)
);

create table report_entry (
  job_id uuid not null references job on delete cascade,
  run integer not null,
  entry integer not null,
  severity text not null check (severity in ('info', 'warning', 'error')),
  message text not null,
  data json,
  primary key (job_id, run, entry)
);

insert into run_record (job_id, run, lines, bytes)
  select job_id, run, count(*), sum(octet_length(message)) from log_line group by job_id, run;
create function number_log_line() returns trigger language plpgsql as $$
begin
  insert into run_record as r (job_id, run, lines, bytes) values (new.job_id, new.run, 1, octet_length(new.message))
    on conflict (job_id, run) do update set lines = r.lines + 1, bytes = r.bytes + excluded.bytes
    returning r.lines into new.line;
  return new;
end $$;
create trigger log_line_number before insert on log_line for each row when (new.line is null) execute function number_log_line();

-- One row for each run that was made, started or ended, appended without a lock that others wait for, and soon added up into
-- statistic by maintenance.
create table run_tally (
  at timestamptz not null default gantry_now(),
  kind text not null,
  -- 'created', 'started' or the outcome.
  what text not null,
  good bigint not null default 0,
  failed bigint not null default 0,
  wait_ms bigint,
  process_ms bigint
);
create function tally_run() returns trigger language plpgsql as $$
declare
  kind text := (select job.kind from job where job.id = new.job_id);
begin
  if tg_op = 'INSERT' then
    insert into run_tally (kind, what) values (kind, 'created');
  elsif new.finished_at is not null and old.finished_at is null then
    insert into run_tally (at, kind, what, good, failed, process_ms)
    values (new.finished_at, kind, new.outcome::text, new.good, new.failed,
      extract(epoch from new.finished_at - new.started_at) * 1000);
  else
    insert into run_tally (at, kind, what, wait_ms)
    values (new.started_at, kind, 'started', greatest(extract(epoch from new.started_at - new.queued_at) * 1000, 0));
  end if;
  return null;
end $$;
create trigger run_tally_created after insert on run for each row execute function tally_run();
create trigger run_tally_moved after update on run for each row
  when ((old.started_at is null and new.started_at is not null) or (old.finished_at is null and new.finished_at is not null))
  execute function tally_run();

-- Counters a minute and kind; after two days by the hour; after ninety days all in one row ('ever'), so that sums never fall.
create table statistic (
  step text not null check (step in ('minute', 'hour', 'ever')),
  at timestamptz not null,
  kind text not null,
  created bigint not null default 0,
  started bigint not null default 0,
  succeeded bigint not null default 0,
  completed_with_errors bigint not null default 0,
  failed bigint not null default 0,
  canceled bigint not null default 0,
  rejected bigint not null default 0,
  withdrawn bigint not null default 0,
  expired bigint not null default 0,
  rows_good bigint not null default 0,
  rows_failed bigint not null default 0,
  wait_ms bigint not null default 0,
  process_ms bigint not null default 0,
  primary key (step, at, kind)
);

-- How many runs of a kind waited, or were processed, for at most so many seconds; not cumulative, never falling.
create table duration_count (
  kind text not null,
  measure text not null check (measure in ('wait', 'process')),
  at_most double precision not null,
  runs bigint not null,
  primary key (kind, measure, at_most)
);
`;
