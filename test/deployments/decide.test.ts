// What a tick decides: turns, failures, the agents that are away, and the ends.
import { CANCEL_WAIT_MS, decide, type TargetView } from '../../src/jobs/deployments/decide';

function target(id: number, given: Partial<TargetView> = {}): TargetView {
  return {
    id,
    agentName: `a${id}`,
    status: 'pending',
    commandId: null,
    connected: true,
    revoked: false,
    cause: null,
    error: null,
    ...given,
  };
}
const inHand = (id: number, given: Partial<TargetView> = {}): TargetView =>
  target(id, { status: 'pre', commandId: `c${id}`, ...given });
const sequential = { sequence: true, cancelAgeMs: null };

test('in sequence the first gets its command, the second only after the first succeeded', () => {
  expect(decide([target(1), target(2)], sequential).command).toEqual([1]);
  expect(decide([inHand(1), target(2)], sequential).command).toEqual([]);
  expect(decide([target(1, { status: 'success' }), target(2)], sequential).command).toEqual([2]);
});

test('in sequence a failure leaves the rest without progress and fails the deployment, naming the target', () => {
  const decision = decide([target(1, { status: 'fail', error: 'exit 3' }), target(2), target(3)], sequential);
  expect(decision.settle.map((one) => [one.id, one.to, one.cause])).toEqual([
    [2, 'no_progress', 'earlier_failed'],
    [3, 'no_progress', 'earlier_failed'],
  ]);
  expect(decision.end).toMatchObject({ state: 'failed', error: { code: 'target_failed' } });
  expect(decision.end?.error?.message).toContain('"a1": exit 3');
});

test('all at once: everybody gets a command, a failure stops nobody else, maxParallel holds', () => {
  const all = { sequence: false, cancelAgeMs: null };
  expect(decide([target(1), target(2), target(3)], all).command).toEqual([1, 2, 3]);
  expect(decide([target(1, { status: 'fail' }), inHand(2), target(3)], all)).toMatchObject({
    command: [3],
    settle: [],
  });
  expect(decide([inHand(1), target(2), target(3)], { ...all, maxParallel: 2 }).command).toEqual([2]);
});

test('an agent that is away makes it confirming and is named', () => {
  const decision = decide([target(1, { connected: false })], sequential);
  expect(decision).toMatchObject({ phase: 'confirming', waitingFor: 'agent a1', end: null, command: [1] });
  expect(decide([inHand(1)], sequential).phase).toBe('deploying');
});

test('an agent whose turn has not come does not make it confirming', () => {
  expect(decide([inHand(1), target(2, { connected: false })], sequential).phase).toBe('deploying');
});

test('a revoked agent fails its target', () => {
  const decision = decide([inHand(1, { revoked: true })], sequential);
  expect(decision.settle).toMatchObject([{ id: 1, to: 'fail', cause: 'agent_revoked' }]);
  expect(decision.end?.state).toBe('failed');
});

test('cancel drops what was never handed over, waits for what was, and gives up on it after a while', () => {
  const targets = [inHand(1), target(2)];
  const first = decide(targets, { sequence: true, cancelAgeMs: CANCEL_WAIT_MS - 1 });
  expect(first.settle.map((one) => [one.id, one.to])).toEqual([[2, 'no_progress']]);
  expect(first.end).toBeNull();
  const later = decide(targets, { sequence: true, cancelAgeMs: CANCEL_WAIT_MS });
  expect(later.settle.map((one) => [one.id, one.to])).toEqual([
    [1, 'fail'],
    [2, 'no_progress'],
  ]);
  expect(later.end).toEqual({ state: 'canceled' });
});

test('a cancel that comes when everything succeeded changes nothing', () => {
  expect(decide([target(1, { status: 'success' })], { sequence: true, cancelAgeMs: 1 }).end).toEqual({
    state: 'succeeded',
  });
});
