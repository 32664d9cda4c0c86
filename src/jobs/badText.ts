// Text that no database or receiver can keep: U+0000 and lone surrogates. Requests with it are refused, rows with it fail.

export function isBadText(text: string): boolean {
  return text.includes('\u0000') || !text.isWellFormed();
}

/** Path of the first bad text in a value of JSON, keys included, or null. Deep values are walked without recursion. */
export function findBadText(value: unknown, path: string): string | null {
  const open: { value: unknown; path: string }[] = [{ value, path }];
  for (let next = open.pop(); next; next = open.pop()) {
    if (typeof next.value === 'string' && isBadText(next.value)) return next.path;
    if (typeof next.value !== 'object' || next.value === null) continue;
    for (const [key, member] of Object.entries(next.value)) {
      if (isBadText(key)) return next.path;
      open.push({ value: member, path: `${next.path}.${key}` });
    }
  }
  return null;
}
