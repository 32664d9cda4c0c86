// Reads JSON bodies: bounded in size and in depth.
import { json, type RequestHandler } from 'express';
import { isTooDeep } from '../lib/jsonDepth';

const MAX_BYTES = '12mb';

/** The parser's name for the fault, which middleware/problem.ts turns into words. */
export const TOO_DEEP = 'gantry.too.deep';

/** @param keep gets the body as it was sent. */
export function jsonBody(keep?: (bytes: Buffer) => void): RequestHandler {
  return json({
    limit: MAX_BYTES,
    strict: true,
    type: 'application/json',
    verify: (_request, _response, bytes) => {
      // Brackets and quotes are single bytes in UTF-8 and never part of another character.
      if (isTooDeep(bytes.toString('latin1'))) throw Object.assign(new Error('nested too deep'), { type: TOO_DEEP });
      keep?.(bytes);
    },
  });
}
