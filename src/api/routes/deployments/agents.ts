// Routes of agents: their list, enrolment tokens and revocation for superadmins; enrolment for whoever holds a token.
import { listAgents } from '../../../db/queries/agents';
import { createEnrolmentToken, enrolAgent, revokeAgent } from '../../../jobs/deployments/agentCommands';
import * as contract from '../../contract/deployments';
import { implement, type Route } from '../../contract/endpoint';
import { pagedByUuid } from './paged';
import { presentAgent } from './present';

export const agentRoutes: Route[] = [
  implement(contract.listAgents, ({ deps, query }) =>
    pagedByUuid(
      query,
      (page) => listAgents(deps.db, page),
      (row) => row.id,
      presentAgent,
    ),
  ),
  implement(contract.createEnrolmentToken, async ({ deps, actor, body }) => {
    const { token, expiresAt } = await createEnrolmentToken(deps.commands, actor, body);
    return { token, expiresAt: expiresAt.toISOString() };
  }),
  implement(contract.revokeAgent, ({ deps, actor, params }) => revokeAgent(deps.commands, actor, params.agentId)),
  implement(contract.enrolAgent, async ({ deps, body, request }) => {
    const agent = await enrolAgent(deps.db, body, request.id);
    return { ...agent, serverPublicKey: deps.serverKeys.publicKey };
  }),
];
