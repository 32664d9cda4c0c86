// One reader of the feed in each web process, fanned out to the open event streams. Woken by NOTIFY, polls besides.
import type { Database } from '../db/database';
import { feedRange, listFeed, type FeedRow } from '../db/queries/feedReading';
import { startLoop } from '../lib/abort';
import type { Logger } from '../lib/logger';

export interface EventHub {
  /** Calls `take` with every entry after `after` (default: from now on), in order. Null when `after` is no longer known. */
  subscribe(after: number | null, take: (entries: FeedRow[]) => void): Promise<Subscription | null>;
  /** Called once when the service stops. @returns takes the call back. */
  onStop(end: () => void): () => void;
  stop(): Promise<void>;
}

export interface Subscription {
  /** The number from which it began. */
  from: number;
  close(): void;
}

const POLL_MS = 1000;
const PAGE = 500;

export async function startEventHub(database: Database, logger: Logger): Promise<EventHub> {
  const db = database.kysely;
  const takers = new Set<(entries: FeedRow[]) => void>();
  const ends = new Set<() => void>();
  let last = (await feedRange(db)).last;
  const round = async (): Promise<boolean> => {
    const entries = await listFeed(db, last, PAGE);
    if (entries.length === 0) return false;
    last = entries[entries.length - 1]?.seq ?? last;
    takers.forEach((take) => take(entries));
    return entries.length === PAGE;
  };
  const loop = startLoop(POLL_MS, round, (error) =>
    logger.debug({ error: String(error) }, 'the feed could not be read'),
  );
  const stopListening = database.listen('gantry_change', () => loop.wake());

  const subscribe: EventHub['subscribe'] = async (after, take) => {
    // Entries that arrive while the past is read are kept back, so that order holds.
    let kept: FeedRow[] | null = [];
    let seen = after ?? last;
    const from = seen;
    const deliver = (entries: FeedRow[]): void => {
      const fresh = entries.filter((entry) => entry.seq > seen);
      if (fresh.length === 0) return;
      seen = fresh[fresh.length - 1]?.seq ?? seen;
      take(fresh);
    };
    const receive = (entries: FeedRow[]): void => void (kept ? kept.push(...entries) : deliver(entries));
    takers.add(receive);
    try {
      if (after !== null) {
        const range = await feedRange(db);
        if (after > range.last || after < range.first - 1) {
          takers.delete(receive);
          return null;
        }
        for (let more = true; more;) {
          const page = await listFeed(db, seen, PAGE);
          deliver(page);
          more = page.length === PAGE;
        }
      }
    } catch (error) {
      takers.delete(receive);
      throw error;
    }
    const waiting = kept;
    kept = null;
    deliver(waiting);
    return { from, close: () => takers.delete(receive) };
  };
  return {
    subscribe,
    onStop: (end) => {
      ends.add(end);
      return () => ends.delete(end);
    },
    stop: async () => {
      stopListening();
      ends.forEach((end) => end());
      await loop.stop();
    },
  };
}
