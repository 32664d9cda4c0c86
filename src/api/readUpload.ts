// A multipart upload of a job: the part `job` (JSON, small) comes first, then the part `rows`, which is streamed and never held.
import type { Readable } from 'node:stream';
import Busboy from '@fastify/busboy';
import type { Request } from 'express';
import { GantryError } from '../lib/errors';

export interface Upload {
  jobText: string;
  /** The rows' stream, once; null when the upload ends without that part. */
  rows(): Promise<{ stream: Readable; format: 'csv' | 'ndjson' } | null>;
  /** Resolves at the proper end of the whole upload; rejects when it broke off or holds what it must not. */
  ended(): Promise<void>;
  /** Fires when the client goes away or sends what it must not; the reason says which. */
  broken: AbortSignal;
  close(): void;
}

const FORMATS: Record<string, 'csv' | 'ndjson'> = { 'text/csv': 'csv', 'application/x-ndjson': 'ndjson' };
/** What browsers and curl call a file whose type they do not know; on machines with Excel, every CSV file. */
const VAGUE = new Set(['application/octet-stream', 'application/vnd.ms-excel', '']);
const ENDINGS: [RegExp, 'csv' | 'ndjson'][] = [
  [/\.csv$/i, 'csv'],
  [/\.(ndjson|jsonl)$/i, 'ndjson'],
];
const MAX_JOB_BYTES = 1024 * 1024;
/** What an upload holds besides its rows: the job, the heads of the parts. */
const MAX_FRAME_BYTES = 2 * MAX_JOB_BYTES;

export async function readUpload(request: Request, maxBytes: number): Promise<Upload> {
  // Told at once where the length is known, instead of after all of it was staged.
  if (Number(request.headers['content-length'] ?? 0) > maxBytes + MAX_FRAME_BYTES) throw tooLarge(maxBytes);
  const parser = openParser(request, maxBytes);
  const broken = new AbortController();
  const job = later<string>();
  const rows = later<{ stream: Readable; format: 'csv' | 'ndjson' } | null>();
  const ended = later<void>();
  let hasJob = false;
  let hasRows = false;
  const fail = (error: Error): void => {
    broken.abort(error);
    [job, rows, ended].forEach((each) => each.reject(error));
    request.unpipe(parser);
  };
  parser.on('field', (name, value, _nameCut, valueCut) => {
    if (name !== 'job') return fail(unknownPart(name));
    if (hasJob) return fail(new GantryError('bad_request', 'The part `job` came twice. No job was made.'));
    if (valueCut)
      return fail(
        new GantryError('too_large', `The part \`job\` is larger than ${MAX_JOB_BYTES} bytes. No job was made.`),
      );
    hasJob = true;
    job.resolve(value);
  });
  parser.on('file', (name, stream, fileName, _encoding, type) => {
    // A part that breaks off before anybody reads it must not end the process; its reader hears of it all the same.
    stream.on('error', () => undefined);
    if (name === 'job' && !hasJob) {
      // Its end is read while the next part may already begin.
      hasJob = true;
      collect(stream).then(job.resolve, fail);
      return;
    }
    const format = formatOf(type, fileName);
    const refusal =
      name !== 'rows' || hasRows
        ? unknownPart(name)
        : !hasJob
          ? new GantryError('bad_request', 'The part `job` comes first, then the part `rows`. No job was made.')
          : !format
            ? new GantryError(
                'wrong_type',
                `The part \`rows\` takes text/csv or application/x-ndjson, not ${type}. No job was made.`,
              )
            : null;
    if (refusal || !format) {
      stream.resume();
      return fail(refusal ?? unknownPart(name));
    }
    hasRows = true;
    stream.once('limit', () => stream.destroy(tooLarge(maxBytes)));
    rows.resolve({ stream, format });
  });
  parser.on('error', (error) =>
    fail(new GantryError('bad_request', 'The upload is no readable multipart. No job was made.', { cause: error })),
  );
  parser.on('finish', () => {
    job.reject(new GantryError('bad_request', 'The upload holds no part `job`. No job was made.'));
    rows.resolve(null);
    ended.resolve();
  });
  request.on('aborted', () => fail(brokeOff()));
  request.on('error', () => fail(brokeOff()));
  request.pipe(parser);
  const jobText = await job.promise;
  return {
    jobText,
    rows: () => rows.promise,
    ended: () => ended.promise,
    broken: broken.signal,
    close: () => {
      request.unpipe(parser);
      request.resume();
    },
  };
}

function openParser(request: Request, maxBytes: number): InstanceType<typeof Busboy> {
  try {
    return new Busboy({
      headers: request.headers as { 'content-type': string },
      limits: {
        fieldSize: MAX_JOB_BYTES,
        fields: 2,
        files: 2,
        parts: 4,
        fileSize: maxBytes,
        headerPairs: 50,
        fieldNameSize: 100,
      },
      isPartAFile: (_name, type, fileName) => fileName !== undefined || (type !== undefined && type !== 'text/plain'),
    });
  } catch (cause) {
    throw new GantryError(
      'bad_request',
      'The upload is no readable multipart: its Content-Type names no boundary. No job was made.',
      { cause },
    );
  }
}

function formatOf(type: string, fileName: string | undefined): 'csv' | 'ndjson' | undefined {
  const plain = type.split(';')[0]?.trim().toLowerCase() ?? '';
  return (
    FORMATS[plain] ?? (VAGUE.has(plain) ? ENDINGS.find(([ending]) => ending.test(fileName ?? ''))?.[1] : undefined)
  );
}

async function collect(stream: Readable): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream) {
    size += (part as Buffer).length;
    if (size > MAX_JOB_BYTES)
      throw new GantryError('too_large', `The part \`job\` is larger than ${MAX_JOB_BYTES} bytes. No job was made.`);
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

function tooLarge(maxBytes: number): GantryError {
  return new GantryError('too_large', `The upload is larger than ${maxBytes} bytes (MAX_UPLOAD_MB). No job was made.`);
}

/** @param name undefined for a part that has none, whatever the parser's types say. */
function unknownPart(name: string | undefined): GantryError {
  return new GantryError(
    'bad_request',
    `The part "${(name ?? '').slice(0, 50)}" is not known here, or came twice: an upload holds \`job\` and \`rows\`. No job was made.`,
  );
}

function brokeOff(): GantryError {
  return new GantryError('bad_request', 'The upload broke off; nothing of it was kept.');
}

interface Later<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

function later<T>(): Later<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever waits hears of it; nobody waiting is no fault.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
