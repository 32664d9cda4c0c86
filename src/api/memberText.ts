// The text of one member of a JSON object as it was sent, so that parameters are kept byte for byte. Pure.

/** @param text valid JSON of an object. @returns null when there is no such member; of doubled members the last counts. */
export function memberText(text: string, name: string): string | null {
  let found: string | null = null;
  let at = skipSpace(text, 0) + 1;
  for (;;) {
    at = skipSpace(text, at);
    if (text[at] !== '"') return found;
    const keyEnd = endOfString(text, at);
    const key = JSON.parse(text.slice(at, keyEnd)) as string;
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const valueEnd = endOfValue(text, valueStart);
    if (key === name) found = text.slice(valueStart, valueEnd);
    at = skipSpace(text, valueEnd);
    if (text[at] !== ',') return found;
    at += 1;
  }
}

function skipSpace(text: string, at: number): number {
  while (at < text.length && ' \t\n\r'.includes(text[at] ?? '')) at += 1;
  return at;
}

function endOfString(text: string, at: number): number {
  let next = at + 1;
  while (text[next] !== '"') next += text[next] === '\\' ? 2 : 1;
  return next + 1;
}

function endOfValue(text: string, at: number): number {
  const first = text[at];
  if (first === '"') return endOfString(text, at);
  if (first !== '{' && first !== '[') {
    let next = at;
    while (next < text.length && !',}] \t\n\r'.includes(text[next] ?? '')) next += 1;
    return next;
  }
  let depth = 0;
  let next = at;
  do {
    const sign = text[next];
    if (sign === '"') {
      next = endOfString(text, next);
      continue;
    }
    if (sign === '{' || sign === '[') depth += 1;
    if (sign === '}' || sign === ']') depth -= 1;
    next += 1;
  } while (depth > 0);
  return next;
}
