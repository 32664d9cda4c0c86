// Passwords: argon2id with OWASP's minimum, one answer time for known and unknown accounts, and none of those that are
// guessed first.
import { hash, verify } from '@node-rs/argon2';
import { randomBytes } from 'node:crypto';
import { invalid } from '../../lib/errors';

/** argon2id is the library's default; 19 MiB, two passes, one lane: OWASP Password Storage Cheat Sheet. */
const OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export function hashPassword(password: string): Promise<string> {
  return hash(password.normalize('NFC'), OPTIONS);
}

/** Whether the hash was made otherwise than today's are: it is made anew at the next sign-in. */
export function isOutdated(stored: string): boolean {
  const { memoryCost, timeCost, parallelism } = OPTIONS;
  return !stored.startsWith(`$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$`);
}

let known: Promise<Set<string>> | null = null;

/** Whether it is out of the lists that attackers begin with, in any spelling. */
export async function isKnownPassword(password: string): Promise<boolean> {
  known ??= import('@zxcvbn-ts/language-common').then(({ dictionary }) => new Set(dictionary['passwords-common']));
  return (await known).has(password.normalize('NFC').trim().toLowerCase());
}

/** @throws GantryError invalid for such a one. */
export async function refuseKnownPassword(password: string): Promise<void> {
  if (!(await isKnownPassword(password))) return;
  throw invalid([{ path: 'password', message: 'is one of those that attackers try first; choose another' }]);
}

let decoy: Promise<string> | null = null;

/** @param stored null for an unknown account: the same work is done, so that the time tells nothing. */
export async function checkPassword(stored: string | null, password: string): Promise<boolean> {
  decoy ??= hashPassword(randomBytes(16).toString('hex'));
  const isRight = await verify(stored ?? (await decoy), password.normalize('NFC')).catch(() => false);
  return stored !== null && isRight;
}
