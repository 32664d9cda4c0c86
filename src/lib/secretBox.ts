// Encrypts what must be stored but not read from a stolen table: operations' secrets, the server's signing key, by SECRET_KEY.
// A box that was tampered with, or made under another key, does not open.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { rememberSecret } from './secrets';

export interface SecretBox {
  seal(text: string): string;
  /** @throws Error in words when the box does not open. */
  open(box: string): string;
}

const VERSION = 'v1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function createSecretBox(secretKey: string): SecretBox {
  // A key of its own for this purpose, so that what signs sessions never encrypts.
  const key = Buffer.from(hkdfSync('sha256', Buffer.from(secretKey, 'hex'), '', 'gantry/secret-box', 32));
  return {
    seal: (text) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return `${VERSION}.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`;
    },
    open: (box) => {
      try {
        const [version, encoded] = box.split('.');
        if (version !== VERSION || !encoded) throw new Error('not a box of this version');
        const bytes = Buffer.from(encoded, 'base64url');
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES));
        decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        const body = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
        const text = body.toString('utf8');
        rememberSecret(text);
        return text;
      } catch (cause) {
        throw new Error(
          'A stored secret does not open with this SECRET_KEY. Start with the SECRET_KEY it was stored under, or set the secret anew.',
          { cause },
        );
      }
    },
  };
}
