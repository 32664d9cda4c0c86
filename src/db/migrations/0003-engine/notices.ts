// Part of migration 0003: preferences, digests, alerts and the delivery of notices.
export const NOTICES = `
alter table app_user drop constraint app_user_notice_preference_check;
alter table app_user add constraint app_user_notice_preference_check
  check (notice_preference in ('always', 'failures', 'never', 'digest'));
-- Whether a superadmin is told by mail of what is wrong with the installation.
alter table app_user add column alerts boolean not null default true;

-- held: waits (due at 'infinity', so that no sender takes it) for the next digest, then digest_id names it.
alter table notice add column held boolean not null default false;
alter table notice add column digest_id uuid;
-- What the last try came to, when it was not sent.
alter table notice add column failure text check (failure in ('temporary', 'permanent', 'suppressed'));
-- A superadmin asked for it once more: the 72 hours count anew.
alter table notice add column retried_at timestamptz;
create index notice_recipient on notice (recipient, created_at desc);
create index notice_state on notice (state, id desc);
create index notice_held on notice (recipient) where held;
create index notice_sent on notice (sent_at) where sent_at is not null;

-- The last sign of whoever works on a due time; null: of the version before, whose work nobody takes up.
alter table schedule_due add column alive_at timestamptz;

-- The version before knows one kind of notice only: a sender that does not say that it knows the others gets none of them.
alter table notice add column claimed_attempt integer;
create function notice_kind_guard() returns trigger language plpgsql as $$ begin return null; end $$;
create trigger notice_kind_guard before update on notice for each row
  when (new.state = 'sending' and new.kind <> 'job-ended' and new.claimed_attempt is distinct from new.attempts)
  execute function notice_kind_guard();

-- Addresses that a mail server refused for good. Nothing is sent to them until the row is lifted.
create table mail_suppression (
  address text primary key check (address = lower(address)),
  reason text not null,
  since timestamptz not null default gantry_now()
);
create function lift_suppression() returns trigger language plpgsql as $$
begin
  delete from mail_suppression where address in (old.email, new.email);
  return null;
end $$;
create trigger app_user_address_lifts after update of email on app_user for each row
  when (old.email is distinct from new.email) execute function lift_suppression();

-- What is wrong with the installation: one row an incident, one open incident a kind.
create table alert (
  id uuid primary key,
  kind text not null,
  figures json not null,
  opened_at timestamptz not null default gantry_now(),
  closed_at timestamptz
);
create unique index alert_open on alert (kind) where closed_at is null;
`;
