// How deep JSON may be nested. Looked at before parsing: deep values break whoever walks them, printing them included. Pure.

/** Deeper than any row, parameter or schema that people write. */
export const MAX_JSON_DEPTH = 32;

/** Counts brackets outside of strings; what is no JSON at all is the parser's matter. */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charCodeAt(at);
    if (isInString) {
      if (sign === BACKSLASH) at += 1;
      else if (sign === QUOTE) isInString = false;
    } else if (sign === QUOTE) isInString = true;
    else if (sign === OPEN_OBJECT || sign === OPEN_ARRAY) {
      depth += 1;
      if (depth > MAX_JSON_DEPTH) return true;
    } else if (sign === CLOSE_OBJECT || sign === CLOSE_ARRAY) depth -= 1;
  }
  return false;
}

const [QUOTE, BACKSLASH, OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d];
