// The server's event stream, once per browser profile: of all open tabs the one that holds the lock reads it and tells the
// others (HTTP/1.1 allows six connections to an origin). Where the browser has no locks each tab reads for itself.
// Called by LiveProvider. Carries ids and versions, never content.
import { streamAddress } from '../api/client';

export type Topic = 'job' | 'deployment' | 'notification';

export interface Change {
  topic: Topic;
  id: string;
  run: number | null;
  version: number;
  state: string;
}

export interface StreamHandlers {
  onChange(change: Change): void;
  /** Some changes may have been missed: everything shown is to be read again. */
  onReset(): void;
  onLive(isLive: boolean): void;
}

type Message = { type: 'change'; change: Change } | { type: 'reset' } | { type: 'live'; isLive: boolean };
/** What a tab that has just opened asks the reading one. */
type Question = { type: 'who' };

const TOPICS: readonly Topic[] = ['job', 'deployment', 'notification'];
const NAME = 'gantry-stream';
/** How often the reading tab says that it lives, and when the others stop believing it. */
const HEARTBEAT_MS = 10_000;
const SILENCE_MS = 35_000;
/** After a refusal the browser does not try again by itself. */
const RETRY_MS = 5000;

/** Reads the stream itself until the signal fires; the answer says whether it is live right now, to all. */
function readStream(emit: (message: Message) => void, signal: AbortSignal): () => void {
  let source: EventSource | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let hasOpened = false;
  let isLive = false;
  const setLive = (next: boolean) => {
    isLive = next;
    emit({ type: 'live', isLive });
  };
  const connect = () => {
    source = new EventSource(streamAddress);
    source.onopen = () => {
      // A source made anew knows no cursor.
      if (hasOpened) emit({ type: 'reset' });
      hasOpened = true;
      setLive(true);
    };
    source.onerror = () => {
      if (isLive) setLive(false);
      if (source?.readyState !== EventSource.CLOSED) return;
      setLive(false);
      retry = setTimeout(connect, RETRY_MS);
    };
    source.addEventListener('reset', () => emit({ type: 'reset' }));
    for (const topic of TOPICS) {
      source.addEventListener(topic, (event: MessageEvent<string>) => {
        emit({ type: 'change', change: { ...(JSON.parse(event.data) as Omit<Change, 'topic'>), topic } });
      });
    }
  };
  connect();
  const tell = () => emit({ type: 'live', isLive });
  const heartbeat = setInterval(tell, HEARTBEAT_MS);
  signal.addEventListener('abort', () => {
    clearInterval(heartbeat);
    clearTimeout(retry);
    source?.close();
  });
  return tell;
}

/** Starts to listen; the answer ends it. */
export function openStream(handlers: StreamHandlers): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  const receive = (message: Message) => {
    if (signal.aborted) return;
    if (message.type === 'change') handlers.onChange(message.change);
    else if (message.type === 'reset') handlers.onReset();
    else handlers.onLive(message.isLive);
  };
  if (!('locks' in navigator) || typeof BroadcastChannel === 'undefined') {
    readStream(receive, signal);
    return () => ending.abort();
  }

  const channel = new BroadcastChannel(NAME);
  let silence: ReturnType<typeof setTimeout> | undefined;
  channel.onmessage = (event: MessageEvent<Message | Question>) => {
    if (event.data.type === 'who') return;
    clearTimeout(silence);
    silence = setTimeout(() => handlers.onLive(false), SILENCE_MS);
    receive(event.data);
  };
  const read = () =>
    new Promise<void>((resolve) => {
      clearTimeout(silence);
      signal.addEventListener('abort', () => resolve());
      const tell = readStream((message) => {
        receive(message);
        if (!signal.aborted) channel.postMessage(message);
      }, signal);
      channel.onmessage = (event: MessageEvent<Message | Question>) => {
        if (event.data.type === 'who') tell();
      };
    });
  channel.postMessage({ type: 'who' } satisfies Question);
  navigator.locks.request(NAME, { signal }, read).catch(() => {
    // Aborted while it waited for its turn: the stream was closed.
  });
  signal.addEventListener('abort', () => {
    clearTimeout(silence);
    channel.close();
  });
  return () => ending.abort();
}
