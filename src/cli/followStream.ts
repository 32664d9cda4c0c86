// The event stream of the server: tells when a job changed, resumes where it broke off, and opens again for ever. It is only a
// hint to ask sooner: whoever watches asks by time besides.
import { createInterface } from 'node:readline';
import type { ApiClient } from './apiClient';
import { RefusedError } from './apiClient';
import { pause } from '../lib/abort';

const AGAIN_MS = 1000;
const AGAIN_MOST_MS = 10_000;

export interface FollowedStream {
  /** Whether it is open at the moment. */
  isOpen(): boolean;
}

/** Calls `onChange` for each change of the job, and after a gap. Ends with the signal. */
export function followStream(
  client: ApiClient,
  jobId: string,
  onChange: () => void,
  signal: AbortSignal,
): FollowedStream {
  let cursor: string | undefined;
  let isOpen = false;
  const session = async (): Promise<void> => {
    const headers = { accept: 'text/event-stream', ...(cursor === undefined ? {} : { 'last-event-id': cursor }) };
    const body = await client.open('/stream', { headers, signal });
    isOpen = true;
    // What changed before the stream was open is asked for once.
    onChange();
    let event = '';
    let data = '';
    for await (const line of createInterface({ input: body, crlfDelay: Infinity })) {
      if (line === '') {
        if (event === 'reset' || (event === 'job' && data.includes(jobId))) onChange();
        event = data = '';
      } else if (line.startsWith('id:')) cursor = line.slice(3).trim();
      else if (line.startsWith('event:')) event = line.slice(6).trim();
      else if (line.startsWith('data:')) data += line.slice(5).trim();
    }
  };
  const loop = async (): Promise<void> => {
    for (let waitMs = AGAIN_MS; !signal.aborted; waitMs = Math.min(2 * waitMs, AGAIN_MOST_MS)) {
      try {
        await session();
        waitMs = AGAIN_MS / 2;
      } catch (error) {
        // Who may not have it does not ask for ever.
        if (error instanceof RefusedError && [401, 403, 404].includes(error.status)) return;
      } finally {
        isOpen = false;
      }
      await pause(waitMs, signal);
    }
  };
  void loop();
  return { isOpen: () => isOpen };
}
