// Ed25519 signatures over canonical JSON, for the talk between server and agent (lib/agentProtocol.ts). Pure: no files, no clock.
// Keys travel as base64 of their DER form (SPKI public, PKCS#8 private), signatures as base64url.
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { GantryError } from './errors';

export interface SigningKeys {
  publicKey: string;
  privateKey: string;
}

export function createSigningKeys(): SigningKeys {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
  };
}

/** Whether a stranger's text is an Ed25519 public key that we could check signatures with. */
export function isPublicKey(text: string): boolean {
  return readPublicKey(text) !== null;
}

/**
 * Signs `value` for one purpose. The purpose is part of what is signed, so that a signature given for one message never
 * passes for another.
 */
export function signFor(purpose: string, value: unknown, privateKey: string): string {
  const key = createPrivateKey({ key: Buffer.from(privateKey, 'base64'), type: 'pkcs8', format: 'der' });
  return sign(null, signedBytes(purpose, value), key).toString('base64url');
}

/** Never throws: a broken key, signature or value is simply not valid. */
export function isSignedFor(purpose: string, value: unknown, signature: string, publicKey: string): boolean {
  const key = readPublicKey(publicKey);
  const bytes = Buffer.from(signature, 'base64url');
  // One text for one signature: base64url leaves four bits of its last character unused.
  if (key === null || bytes.length !== 64 || bytes.toString('base64url') !== signature) return false;
  try {
    return verify(null, signedBytes(purpose, value), key, bytes);
  } catch {
    return false;
  }
}

/** JSON with sorted keys and no blanks: one text for one value. Members that are undefined are left out, as JSON does. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((member) => canonicalJson(member ?? null)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const record = value as Record<string, unknown>;
    const members = Object.keys(record)
      .filter((key) => record[key] !== undefined)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(record[key])}`);
    return `{${members.join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new GantryError('invalid', 'A number in it is too large to be kept (beyond 1.8e308). Nothing was changed.');
  const text = JSON.stringify(value);
  if (text === undefined) throw new Error(`a ${typeof value} cannot be signed`);
  return text;
}

function signedBytes(purpose: string, value: unknown): Buffer {
  return Buffer.from(`gantry/${purpose}\n${canonicalJson(value)}`, 'utf8');
}

function readPublicKey(text: string): KeyObject | null {
  try {
    const key = createPublicKey({ key: Buffer.from(text, 'base64'), type: 'spki', format: 'der' });
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    return null;
  }
}
