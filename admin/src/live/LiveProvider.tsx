// Holds the event stream open while somebody is signed in and feeds the cache from it. Children ask useLive whether data
// comes by itself; where it does not, queries poll (useLiveInterval).
import { useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useState, type ReactNode } from 'react';
import { keys } from '../api/queryKeys';
import { applyChanges } from './applyChanges';
import { openStream, type Change } from './eventStream';

/** Changes of this long are applied together: fast enough for an eye, slow enough for the server. */
const GATHER_MS = 500;
/** Polling when the stream is away, and as a safety net when it is not. */
const POLL_MS = 4000;
const SAFETY_MS = 60_000;

const LiveContext = createContext(false);

export function LiveProvider({ children }: { children: ReactNode }) {
  const cache = useQueryClient();
  const [isLive, setLive] = useState(false);

  useEffect(() => {
    let waiting = new Map<string, Change>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      const changes = [...waiting.values()];
      waiting = new Map();
      applyChanges(cache, changes);
    };
    const close = openStream({
      onChange: (change) => {
        waiting.set(`${change.topic} ${change.id}`, change);
        timer ??= setTimeout(flush, GATHER_MS);
      },
      onReset: () => void cache.invalidateQueries(),
      onLive: (next) => {
        setLive(next);
        // The stream ends when the session does; only the server knows which it was.
        if (!next) void cache.invalidateQueries({ queryKey: keys.me });
      },
    });
    return () => {
      clearTimeout(timer);
      close();
    };
  }, [cache]);

  return <LiveContext.Provider value={isLive}>{children}</LiveContext.Provider>;
}

export function useLive(): boolean {
  return useContext(LiveContext);
}

/** For refetchInterval of whatever the stream keeps fresh. */
export function useLiveInterval(): number {
  return useLive() ? SAFETY_MS : POLL_MS;
}
