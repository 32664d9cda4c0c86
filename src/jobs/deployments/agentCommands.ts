// Agents: enrolment tokens made by superadmins, enrolment by whoever holds one, revocation. Called by routes/deployments/agents.ts
// and the gateway. Secrets are stored as hashes; the token is shown once.
import { insertAudit } from '../../db/queries/audit';
import {
  agentNameTaken,
  findAgent,
  findEnrolledAgent,
  insertAgent,
  insertEnrolment,
  revokeAgent as revokeAgentRow,
  useEnrolment,
} from '../../db/queries/agents';
import { listJobsOfAgent } from '../../db/queries/deploymentTargets';
import { wakeProcess } from '../../db/queries/processes';
import type { Db } from '../../db/database';
import type { EnrolRequest } from '../../lib/agentProtocol';
import { cleanText, GantryError, notFound } from '../../lib/errors';
import { hashSecret, isUuid, newId, newSecret } from '../../lib/ids';
import type { Actor } from '../actor';
import type { CommandDeps } from '../commandDeps';
import { requireSuperadmin, taken } from './access';
import { auditOf } from './auditOf';

/** How long a token waits for its agent. */
export const ENROLMENT_MINUTES = 15;

export async function createEnrolmentToken(
  deps: CommandDeps,
  actor: Actor,
  input: { name: string; labels?: Record<string, string> },
): Promise<{ token: string; expiresAt: Date }> {
  requireSuperadmin(actor, 'enrol agents');
  const token = newSecret('gte');
  const id = newId();
  const labels = input.labels ?? {};
  return deps.db.transaction().execute(async (tx) => {
    if (await agentNameTaken(tx, input.name)) throw taken('agent', input.name);
    const expiresAt = await insertEnrolment(tx, {
      id,
      tokenHash: hashSecret(token),
      name: input.name,
      labels: JSON.stringify(labels),
      createdBy: actor.id,
      minutes: ENROLMENT_MINUTES,
    });
    await insertAudit(
      tx,
      auditOf(actor, 'agent.enrolment', 'agent_enrolment', id, { after: { name: input.name, labels } }),
    );
    return { token, expiresAt };
  });
}

export async function enrolAgent(
  db: Db,
  request: EnrolRequest,
  requestId?: string,
): Promise<{ agentId: string; name: string }> {
  const tokenHash = hashSecret(request.token);
  return db.transaction().execute(async (tx) => {
    const enrolment = await useEnrolment(tx, tokenHash);
    if (!enrolment) {
      // The first answer may have been lost on its way: the same key gets it again while the token would still be good.
      const known = await findEnrolledAgent(tx, tokenHash, request.publicKey);
      if (known) return { agentId: known.id, name: known.name };
      throw new GantryError(
        'bad_credentials',
        'This enrolment token is unknown, used or older than 15 minutes. No agent was enrolled; ask a superadmin for a new token.',
      );
    }
    const agentId = await insertAgent(tx, {
      id: newId(),
      name: enrolment.name,
      labels: enrolment.labels,
      publicKey: request.publicKey,
      host: cleanText(request.host),
      programVersion: cleanText(request.version),
    });
    if (!agentId) throw taken('agent', enrolment.name);
    await insertAudit(tx, {
      // On behalf of whoever made the token.
      actor: { id: enrolment.createdBy, name: `agent ${enrolment.name}`, requestId },
      action: 'agent.enrol',
      subjectType: 'agent',
      subjectId: agentId,
      after: { name: enrolment.name, host: cleanText(request.host) },
    });
    return { agentId, name: enrolment.name };
  });
}

/** Its connection is cut within a heartbeat; what it had under way fails with that cause. */
export async function revokeAgent(deps: CommandDeps, actor: Actor, agentId: string): Promise<void> {
  requireSuperadmin(actor, 'revoke agents');
  const agent = isUuid(agentId) ? await findAgent(deps.db, agentId) : null;
  if (!agent) throw notFound('agent');
  await deps.db.transaction().execute(async (tx) => {
    // Revoking twice is revoking once.
    if (!(await revokeAgentRow(tx, agentId))) return;
    for (const jobId of await listJobsOfAgent(tx, agentId)) await wakeProcess(tx, jobId);
    await insertAudit(tx, auditOf(actor, 'agent.revoke', 'agent', agentId, { before: { name: agent.name } }));
  });
  deps.waker.wake('gantry_work');
  deps.waker.wake('gantry_agent');
}
