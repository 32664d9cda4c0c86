// The secrets of this process, so that none of them reaches a log: remembered where they are read (configuration, sealed
// boxes), masked by whoever writes a line. A net under the rule that secrets are not logged, not a licence to log them.

const MASK = '[secret]';
/** Shorter values are words that stand in any text. */
const MIN_LENGTH = 8;

const known = new Set<string>();
/** All forms of all secrets, the longest first; null: to be made anew. */
let forms: string[] | null = null;

export function rememberSecret(value: string | null | undefined): void {
  if (!value || value.length < MIN_LENGTH || known.has(value)) return;
  known.add(value);
  forms = null;
}

/** Of an address such as DATABASE_URL the password, as written and as meant; one equal to the user's name hides nothing. */
export function rememberPasswordOf(url: string | undefined): void {
  if (url === undefined || !URL.canParse(url)) return;
  const { username, password } = new URL(url);
  if (password === username) return;
  rememberSecret(password);
  rememberSecret(decode(password));
}

/** Masks each secret as it is, in base64 (within a longer text too), percent-encoded, and as JSON writes it. */
export function maskSecrets(text: string): string {
  forms ??= [...new Set([...known].flatMap(formsOf))].sort((a, b) => b.length - a.length);
  let masked = text;
  // Plain search: many times quicker than one pattern of hundreds of alternatives.
  for (const form of forms) if (masked.includes(form)) masked = masked.replaceAll(form, MASK);
  return masked;
}

function formsOf(value: string): string[] {
  const encoded = encodeURIComponent(value);
  const base64 = [0, 1, 2].map((offset) => base64At(value, offset)).filter((form) => form.length >= MIN_LENGTH);
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    encoded,
    encoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    encoded.replaceAll('%20', '+'),
    ...base64,
    ...base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
  ];
}

/** How base64 writes the value when `offset` bytes (mod 3) stand before it, without the characters it shares with others. */
function base64At(value: string, offset: number): string {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
  return bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
