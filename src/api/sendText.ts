// Streams text as the answer of a call, at the pace of its reader. Used by the files and logs of jobs.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';

/** @param fileName for what is to be saved; null: shown where it is. */
export async function sendText(
  response: Response,
  type: string,
  fileName: string | null,
  text: AsyncIterable<string>,
): Promise<void> {
  // Read before the first byte goes out: what fails here is still told as a problem, and not by a file cut short.
  const lines = text[Symbol.asyncIterator]();
  const first = await lines.next();
  response.status(200).type(type);
  if (fileName) response.attachment(fileName);
  // attachment() guesses a type of its own by the ending.
  response.setHeader('Content-Type', `${type}; charset=utf-8`);
  await pipeline(Readable.from(withFirst(first, lines)), response);
}

async function* withFirst(first: IteratorResult<string>, rest: AsyncIterator<string>): AsyncGenerator<string> {
  if (first.done) return;
  yield first.value;
  yield* { [Symbol.asyncIterator]: () => rest };
}
