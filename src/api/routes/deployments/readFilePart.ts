// Takes the part `file` of a multipart request as a stream, without ever holding it. Called by the upload of artifacts.
// Whatever breaks off the request breaks the stream too, so that its taker cleans up.
import Busboy from '@fastify/busboy';
import type { Request } from 'express';
import type { Readable } from 'node:stream';
import { GantryError, invalid } from '../../../lib/errors';

const PART = 'file';

export interface TakenFile {
  name: string;
  source: Readable;
  /** Resolves when the whole request was as it should be: only then may the file be kept. */
  whole: Promise<void>;
}

/** @throws GantryError wrong_type or bad_upload; `take` gets the stream and what it returns is returned. */
export function readFilePart<T>(request: Request, take: (file: TakenFile) => Promise<T>): Promise<T> {
  if (!request.is('multipart/form-data')) {
    throw new GantryError('wrong_type', 'Send the artifact as multipart/form-data with one part named "file".');
  }
  return new Promise<T>((resolve, reject) => {
    let taken: Promise<T> | null = null;
    let source: Readable | null = null;
    let failed: Error | null = null;
    let isWhole!: () => void;
    let isBroken!: (error: Error) => void;
    const whole = new Promise<void>((yes, no) => ([isWhole, isBroken] = [yes, no]));
    // Whoever waits hears of it; nobody waiting is no fault.
    whole.catch(() => undefined);
    const broken = (cause: unknown): GantryError =>
      new GantryError(
        'bad_upload',
        'The upload broke off or is no multipart/form-data. Nothing was kept; send it again.',
        {
          cause,
        },
      );
    const fail = (error: Error): void => {
      failed ??= error;
      isBroken(failed);
      request.unpipe(parser);
      // The rest of the body is read and dropped, so that the answer reaches the sender.
      request.resume();
      source?.destroy(failed);
      if (taken) taken.then(undefined, () => undefined).finally(() => reject(failed!));
      else reject(failed);
    };
    let parser: ReturnType<typeof makeParser>;
    try {
      parser = makeParser(request);
    } catch (cause) {
      return reject(broken(cause));
    }
    parser.on('file', (field, stream, fileName) => {
      // Before anybody reads it, nobody may be listening.
      stream.on('error', () => undefined);
      if (failed || field !== PART || taken) {
        stream.resume();
        return fail(invalid([{ path: field, message: 'is not known here; one part named "file" is taken' }]));
      }
      source = stream;
      taken = take({ name: fileName ?? '', source: stream, whole });
      taken.catch(fail);
    });
    parser.on('field', (field) => fail(invalid([{ path: field, message: 'is not known here; send one part "file"' }])));
    parser.on('error', (cause: unknown) => fail(broken(cause)));
    parser.on('finish', () => {
      if (failed) return;
      isWhole();
      if (taken) taken.then(resolve, fail);
      else fail(invalid([{ path: PART, message: 'is missing: the artifact itself' }]));
    });
    request.on('aborted', () => fail(broken(new Error('the sender went away'))));
    request.on('error', (cause) => fail(broken(cause)));
    request.pipe(parser);
  });
}

function makeParser(request: Request) {
  return new Busboy({
    headers: request.headers as never,
    limits: { files: 2, fields: 1, parts: 3, fieldSize: 1024, headerPairs: 50 },
  });
}
