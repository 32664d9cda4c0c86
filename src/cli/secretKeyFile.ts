// The SECRET_KEY of an installation with the embedded database: made once, kept in DATA_DIR/secret-key (mode 0600).
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Safe when two commands start at once: the file is made exclusively, and the loser reads the winner's. */
export function keptSecretKey(dataDir: string): string {
  const file = path.join(dataDir, 'secret-key');
  mkdirSync(dataDir, { recursive: true });
  try {
    writeFileSync(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const key = readFileSync(file, 'utf8').trim();
  if (!/^[0-9a-fA-F]{64,}$/.test(key)) {
    throw new Error(
      `${file} does not hold 64 hex characters or more. Nothing was changed. Put the key back that this installation was made with; without it stored secrets do not open.`,
    );
  }
  return key;
}
