// A length of time: fixed once `ms` is known, ticking from `since` until then.
import { useNow } from '../live/useNow';
import { formatDuration } from './formatDuration';

function Ticking({ since }: { since: string }) {
  const now = useNow();
  return <span>{formatDuration(now - Date.parse(since))}</span>;
}

export function LiveDuration({ ms, since }: { ms: number | null; since: string | null }) {
  if (ms !== null) return <span>{formatDuration(ms)}</span>;
  if (since !== null) return <Ticking since={since} />;
  return <span aria-label="none">–</span>;
}
