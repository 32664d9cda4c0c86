// Reads as much of a log as a page can show and stops there; the whole of it is a download. Called by LogTab.
import { client } from '../../api/client';

/** About 20,000 lines: more than anybody reads in a browser. */
const MOST_BYTES = 2 * 1024 * 1024;

export interface ShownLog {
  lines: string[];
  isCut: boolean;
}

export async function readLog(jobId: string, run: number | null, signal: AbortSignal): Promise<ShownLog> {
  const stream = await client.jobLog(jobId, run ?? undefined, signal);
  const reader = stream?.getReader();
  if (!reader) return { lines: [], isCut: false };
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    text += decoder.decode(value, { stream: true });
    if (bytes >= MOST_BYTES) {
      await reader.cancel();
      break;
    }
  }
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return { lines, isCut: bytes >= MOST_BYTES };
}
