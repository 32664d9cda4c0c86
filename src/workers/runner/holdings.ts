// What this worker holds, and why it must let go: cancel, loss of the lease, or the end of a graceful stop.
// The heartbeat (heartbeat.ts) reads and aborts it; the runners take and release.
import type { Lease } from '../../db/queries/claims';

/** canceled: a command asked for it. lease_lost: somebody else may hold it; write nothing. stopping: hand it back. */
export type StopReason = 'canceled' | 'lease_lost' | 'stopping';

export interface Holding {
  lease: Lease;
  /** Fires at once when the work has to stop. */
  signal: AbortSignal;
  /** False: it may not be started a second time. */
  restartable: boolean;
  reason(): StopReason | null;
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
}

interface Entry extends Holding {
  abort(reason: StopReason): void;
}

export function createHoldings(): Holdings {
  const held = new Set<Entry>();
  return {
    take: (lease, queueSignal, options) => {
      const controller = new AbortController();
      let reason: StopReason | null = null;
      const entry: Entry = {
        lease,
        signal: controller.signal,
        restartable: options.restartable,
        reason: () => reason,
        abort: (why) => {
          if (why === 'canceled' && !options.cancelAborts) return;
          // The loss of the lease overrules: nothing may be written any more.
          if (reason === null || why === 'lease_lost') reason = why;
          controller.abort(new Error(`the work has to stop: ${why}`));
        },
        release: () => {
          held.delete(entry);
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
  };
}
