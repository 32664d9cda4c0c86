// What this worker holds, and why it must let go: cancel, timeout, loss of the lease, or the end of a graceful stop.
// The heartbeat (heartbeat.ts) reads and aborts it; the runners take and release.
import type { Lease } from '../../db/queries/claims';

/**
 * canceled: a command asked for it. timed_out: it took longer than its kind allows. lease_lost: somebody else may hold it;
 * write nothing. stopping: hand it back.
 */
export type StopReason = 'canceled' | 'timed_out' | 'lease_lost' | 'stopping';

export interface Holding {
  lease: Lease;
  /** Fires at once when the work has to stop. */
  signal: AbortSignal;
  /** False: it may not be started a second time. */
  restartable: boolean;
  reason(): StopReason | null;
  /** From now on the work may take so long; null: no limit. */
  limit(ms: number | null): void;
  /** Ends the holding: it is no longer renewed. */
  release(): void;
}

export interface HoldingOptions {
  /** False for processes, which end themselves in a tick. */
  cancelAborts: boolean;
  restartable: boolean;
}

export interface Holdings {
  /** `queueSignal` fires when the queue wants its slot back. */
  take(lease: Lease, queueSignal: AbortSignal, options: HoldingOptions): Holding;
  list(): Holding[];
  stop(holding: Holding, reason: StopReason): void;
  /** Counts a slot as stuck until a handler that did not heed its signal has settled. */
  stuckUntil(settled: Promise<unknown>): Promise<void>;
  stuck(): number;
}

/** Longer ones fire at once in Node. */
const MAX_TIMER_MS = 2_147_483_647;

interface Entry extends Holding {
  abort(reason: StopReason): void;
}

export function createHoldings(): Holdings {
  const held = new Set<Entry>();
  let stuck = 0;
  return {
    take: (lease, queueSignal, options) => {
      const controller = new AbortController();
      let reason: StopReason | null = null;
      let timer: NodeJS.Timeout | undefined;
      const entry: Entry = {
        lease,
        signal: controller.signal,
        restartable: options.restartable,
        reason: () => reason,
        limit: (ms) => {
          if (ms !== null) timer = setTimeout(() => entry.abort('timed_out'), Math.min(ms, MAX_TIMER_MS));
        },
        abort: (why) => {
          if (why === 'canceled' && !options.cancelAborts) return;
          // The loss of the lease overrules: nothing may be written any more.
          if (reason === null || why === 'lease_lost') reason = why;
          controller.abort(new Error(`the work has to stop: ${why}`));
        },
        release: () => {
          held.delete(entry);
          clearTimeout(timer);
          queueSignal.removeEventListener('abort', onQueueAbort);
        },
      };
      const onQueueAbort = (): void => entry.abort('stopping');
      held.add(entry);
      if (queueSignal.aborted) onQueueAbort();
      else queueSignal.addEventListener('abort', onQueueAbort, { once: true });
      return entry;
    },
    list: () => [...held],
    stop: (holding, reason) => (holding as Entry).abort(reason),
    stuckUntil: async (settled) => {
      stuck += 1;
      await settled;
      stuck -= 1;
    },
    stuck: () => stuck,
  };
}
