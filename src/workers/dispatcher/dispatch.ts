// Deals the window: what is due goes to the queue, the owners in turn, by one dispatcher at a time.
// A stamp is written before its message is sent: a lost message is sent again after a lease, a doubled one finds nothing to claim.
import {
  countLiveSlots,
  countOnWay,
  deferRun,
  listCandidates,
  markChunksSent,
  markRunsSent,
  unmarkLost,
  unmarkSent,
  type Candidate,
  type Sent,
} from '../../db/queries/dispatch';
import type { DispatcherDeps } from './startDispatcher';

/** On their way at once: what runs, and as much again waiting, so that a free slot never idles for a round. */
const WINDOW_PER_SLOT = 2;
const LOWEST = '00000000-0000-0000-0000-000000000000';
const HIGHEST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export interface Turn {
  /** The owner who was served last. */
  lastOwner: string;
}

/** @returns true when there may be more to send at once. */
export async function dispatch(deps: DispatcherDeps, turn: Turn): Promise<boolean> {
  const slots = await countLiveSlots(deps.db, deps.leaseMs);
  if (slots === 0) return false;
  const { onWay } = await countOnWay(deps.db);
  const free = slots * WINDOW_PER_SLOT - onWay;
  if (free <= 0) return false;
  const candidates = await nextCandidates(deps, turn, free);
  if (candidates.length === 0) return false;
  const dealt = deal(candidates, free);
  const sent: Sent[] = [];
  const runs = dealt.filter(({ candidate }) => candidate.shape === 'run').map(({ candidate }) => candidate.jobId);
  sent.push(...(await markRunsSent(deps.db, runs)));
  let unused = 0;
  for (const { candidate, share } of dealt) {
    if (candidate.shape === 'run') continue;
    const chunks = await markChunksSent(deps.db, candidate, share);
    if (chunks.length === 0) await deferRun(deps.db, candidate.jobId, candidate.run);
    unused += share - chunks.length;
    sent.push(...chunks);
  }
  // The queue delivers in the order in which it was handed them; what an update returns comes in any.
  const turnOf = new Map(dealt.map(({ candidate }, place) => [candidate.jobId, place]));
  const placeOf = ({ jobId }: Sent): number => turnOf.get(jobId) ?? dealt.length;
  sent.sort((one, other) => placeOf(one) - placeOf(other) || (one.chunk ?? 0) - (other.chunk ?? 0));
  turn.lastOwner = dealt[dealt.length - 1]?.candidate.ownerId ?? turn.lastOwner;
  try {
    if (sent.length > 0) await deps.queue.publish(sent);
  } catch (error) {
    // The queue is away: what was stamped is due again. Should this fail too, it is sent again after a lease.
    await unmarkSent(deps.db, sent).catch(() => undefined);
    throw error;
  }
  return unused > 0 && sent.length > 0;
}

/** The owners after the one served last, then from the beginning. */
async function nextCandidates(deps: DispatcherDeps, turn: Turn, free: number): Promise<Candidate[]> {
  const after = await listCandidates(deps.db, { after: turn.lastOwner, upTo: HIGHEST }, free, free);
  if (new Set(after.map((one) => one.ownerId)).size >= free) return after;
  const before = await listCandidates(deps.db, { after: LOWEST, upTo: turn.lastOwner }, free, free);
  return [...after, ...before];
}

/** One message for each owner in turn until the window is full; within an owner in the order given. Pure. */
export function deal(candidates: Candidate[], free: number): { candidate: Candidate; share: number }[] {
  const owners = new Map<string, { candidate: Candidate; share: number }[]>();
  for (const candidate of candidates) {
    if (candidate.room <= 0) continue;
    owners.set(candidate.ownerId, [...(owners.get(candidate.ownerId) ?? []), { candidate, share: 0 }]);
  }
  const order: { candidate: Candidate; share: number }[] = [];
  for (let left = free; left > 0;) {
    const before = left;
    for (const queue of owners.values()) {
      const next = queue.find((one) => one.share < one.candidate.room);
      if (!next || left === 0) continue;
      if (next.share === 0) order.push(next);
      next.share += 1;
      left -= 1;
    }
    if (left === before) break;
  }
  return order;
}

/**
 * What was sent longer ago than a lease and has not started is due again, unless the queue still holds at least as much:
 * then every slot is busy and nothing was lost.
 */
export async function resendLost(deps: DispatcherDeps): Promise<number> {
  const { unstarted } = await countOnWay(deps.db);
  if (unstarted === 0) return 0;
  const { waiting } = await deps.queue.inspect();
  if (waiting >= unstarted) return 0;
  return unmarkLost(deps.db, deps.leaseMs);
}
