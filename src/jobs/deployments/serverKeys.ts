// The server's own key pair, by which agents know its commands: made at the first start, kept in the ledger, its private half
// sealed by SECRET_KEY. Called once by the composition root of whatever serves agents.
import type { Db } from '../../db/database';
import { findSetting, keepSetting } from '../../db/queries/agents';
import { createSecretBox } from '../../lib/secretBox';
import { createSigningKeys, type SigningKeys } from '../../lib/signing';

const SETTING = 'server_keys';

/** @throws Error in words when the private half does not open with this SECRET_KEY. */
export async function loadServerKeys(db: Db, secretKey: string): Promise<SigningKeys> {
  const box = createSecretBox(secretKey);
  let kept = await findSetting(db, SETTING);
  if (!kept) {
    const made = createSigningKeys();
    const value = JSON.stringify({ publicKey: made.publicKey, privateKeyBox: box.seal(made.privateKey) });
    kept = await keepSetting(db, SETTING, value);
  }
  const { publicKey, privateKeyBox } = JSON.parse(kept) as { publicKey: string; privateKeyBox: string };
  return { publicKey, privateKey: box.open(privateKeyBox) };
}
