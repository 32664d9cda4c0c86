// Hands a command of a target over to its agent: stamps it, then gives the signed message to send. Called by the gateway.
// The same command keeps its id and epoch however often it is sent; only its time is new, so an old copy dies by itself.
import type { Db } from '../../db/database';
import { lockTargetOfCommand, markCommandSent, type CommandRow } from '../../db/queries/deploymentTargets';
import { withRetry } from '../../db/retry';
import { COMMAND_LIFETIME_MS, commandMessage, type ServerMessage } from '../../lib/agentProtocol';
import type { SigningKeys } from '../../lib/signing';
import type { CommandBody } from '../../targets/define';
import { isSettled } from './targetFlow';

/** Null when the command was taken back meanwhile. The stamp comes first: what may have been sent counts as sent. */
export async function sendCommand(db: Db, keys: SigningKeys, row: CommandRow): Promise<ServerMessage | null> {
  const stands = await withRetry(() =>
    db.transaction().execute(async (tx) => {
      const target = await lockTargetOfCommand(tx, row.commandId, row.agentId);
      if (!target || target.ended || isSettled(target.status)) return false;
      await markCommandSent(tx, target.id);
      return true;
    }),
  );
  if (!stands) return null;
  const issuedAt = Date.now();
  const body = JSON.parse(row.command) as CommandBody;
  return commandMessage({ ...body, issuedAt, expiresAt: issuedAt + COMMAND_LIFETIME_MS }, keys.privateKey);
}
