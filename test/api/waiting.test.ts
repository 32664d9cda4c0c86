// Why a job waits, in words: what a database is not needed for. The rest is in figures.test.ts.
import { waitingText, type WaitingFacts, type WaitingJob } from '../../src/api/presenters/waiting';

const now = new Date('2026-01-01T12:00:00Z');
const facts: WaitingFacts = {
  now,
  wait: { ahead: 0, dueAt: null, hasChunkInHand: false, chunkError: null, chunkDueAt: null, pausedBy: null },
  workers: { live: 1, slots: 4, busy: 1, lastSeenAt: now },
};
const job: WaitingJob = {
  state: 'running',
  phase: null,
  waitingFor: null,
  runAt: null,
  wakeAt: null,
  note: null,
  trial: null,
  quorum: null,
  approvedBy: [],
  approvers: null,
  requestExpiresAt: null,
  failed: 0,
  hasRows: false,
};
const text = (given: Partial<WaitingJob>, wait: Partial<WaitingFacts['wait']> = {}) =>
  waitingText({ ...job, ...given }, { ...facts, wait: { ...facts.wait, ...wait } });

it.each([
  [{ state: 'awaiting_approval', quorum: 1 }, 'Waits for one approval by a superadmin.'],
  [
    {
      state: 'awaiting_approval',
      quorum: 3,
      approvedBy: ['x'],
      approvers: ['a@example.org', 'b@example.org'],
      requestExpiresAt: new Date('2026-01-08T12:00:00Z'),
    },
    'Waits for 2 approvals by a@example.org or b@example.org, until 2026-01-08 12:00:00 UTC.',
  ],
  [
    { waitingFor: 'agent web-1', wakeAt: new Date('2026-01-01T12:05:00Z') },
    'Waits for agent web-1, which is not connected, until 2026-01-01 12:05:00 UTC at most.',
  ],
  [{ waitingFor: 'report of web-1' }, 'Waits for the report of web-1.'],
  [{ state: 'canceling' }, 'Waits for its work in hand to stop.'],
] as const)('%o', (given, expected) => {
  expect(text(given as Partial<WaitingJob>)).toBe(expected);
});

it('tells when a job that asked to be run later is tried again, and why', () => {
  const later = { dueAt: new Date(now.getTime() + 4200) };
  expect(text({ note: 'The source is locked.' }, later)).toBe('Is tried again in 5 s: The source is locked.');
  expect(text({ state: 'queued' }, { ahead: 101 })).toBe('Queued behind more than 100 other jobs.');
});

it('says nothing of a job that is at work or has ended', () => {
  expect(text({})).toBeNull();
  expect(text({ hasRows: true }, { hasChunkInHand: true })).toBeNull();
  for (const state of ['succeeded', 'failed', 'canceled', 'expired'] as const) expect(text({ state })).toBeNull();
});
