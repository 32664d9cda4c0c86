// Reads JSON bodies: bounded in size and in depth, which is looked at before parsing, since deep values break whoever walks them.
import { json, type RequestHandler } from 'express';

const MAX_BYTES = '12mb';
/** Deeper than any row, parameter or schema that people write. */
export const MAX_DEPTH = 32;

/** The parser's name for the fault, which middleware/problem.ts turns into words. */
export const TOO_DEEP = 'gantry.too.deep';

/** @param keep gets the body as it was sent. */
export function jsonBody(keep?: (bytes: Buffer) => void): RequestHandler {
  return json({
    limit: MAX_BYTES,
    strict: true,
    type: 'application/json',
    verify: (_request, _response, bytes) => {
      if (isTooDeep(bytes)) throw Object.assign(new Error('nested too deep'), { type: TOO_DEEP });
      keep?.(bytes);
    },
  });
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Counts brackets outside of strings; what is no JSON at all is the parser's matter. */
export function isTooDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (isInString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) isInString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return false;
}
