// The endpoints of deployments, their history and agents. Implemented in routes/deployments/; the shapes are in
// deploymentShapes.ts.
import { z } from 'zod';
import { GROUP_STATES } from '../../jobs/deployments/runStatus';
import { enrolRequest, enrolResponse } from '../../lib/agentProtocol';
import { page, paging } from './common';
import * as shapes from './deploymentShapes';
import { endpoint, SUPERADMIN } from './endpoint';

const id = shapes.pathId;
const inProject = z.strictObject({ projectId: id });
const ofDeployment = z.strictObject({ deploymentId: id });
const pages = z.strictObject(paging);
const deployments = { tag: 'Deployments', access: 'signedIn' } as const;
const agents = { tag: 'Agents', access: SUPERADMIN } as const;

export const getDeployment = endpoint({
  ...deployments,
  method: 'get',
  path: '/deployments/:deploymentId',
  summary: 'One deployment',
  params: ofDeployment,
  response: shapes.deploymentDoc,
});
export const listTargets = endpoint({
  ...deployments,
  method: 'get',
  path: '/deployments/:deploymentId/targets',
  summary: 'Its targets in their order, each with its steps',
  params: ofDeployment,
  query: pages,
  response: page(shapes.targetDoc),
});
export const listSteps = endpoint({
  ...deployments,
  method: 'get',
  path: '/deployments/:deploymentId/steps',
  summary: 'The steps of its targets; a page holds those of `limit` targets',
  params: ofDeployment,
  query: pages,
  response: page(shapes.stepDoc),
});
export const getDeploymentLog = endpoint({
  ...deployments,
  method: 'get',
  path: '/deployments/:deploymentId/log',
  summary: 'What the steps wrote, target by target',
  params: ofDeployment,
  contentType: 'text/plain',
});
export const cancelDeployment = endpoint({
  ...deployments,
  method: 'post',
  path: '/deployments/:deploymentId/cancel',
  summary: 'Cancel a deployment under way',
  params: ofDeployment,
  body: shapes.cancelBody,
  response: shapes.deploymentDoc,
});
export const listHistory = endpoint({
  ...deployments,
  method: 'get',
  path: '/deployment-history',
  summary: 'Deployments as groups, newest first',
  query: z.strictObject({
    ...paging,
    state: z.enum(GROUP_STATES).optional(),
    /** E-mail or id. */
    account: shapes.text(320).optional(),
    /** Id or name. */
    project: shapes.text(100).optional(),
    /** Inclusive and exclusive; ISO 8601, `0` for now, or relative such as -10d. */
    since: z.string().min(1).max(60).optional(),
    until: z.string().min(1).max(60).optional(),
    timeZone: z.string().min(1).max(60).optional(),
  }),
  response: page(shapes.historyDoc),
});
export const listEntries = endpoint({
  ...deployments,
  method: 'get',
  path: '/deployment-history/:deploymentId/entries',
  summary: 'The entries of one group',
  params: ofDeployment,
  query: pages,
  response: page(shapes.entryDoc),
});

export const listAgents = endpoint({
  ...agents,
  method: 'get',
  path: '/agents',
  summary: 'Agents and their state',
  query: pages,
  response: page(shapes.agentDoc),
});
export const createEnrolmentToken = endpoint({
  ...agents,
  method: 'post',
  path: '/agents/enrolment-tokens',
  summary: 'A token that enrols one agent within 15 minutes; shown once',
  body: shapes.enrolmentBody,
  status: 201,
  response: shapes.enrolmentAnswer,
});
export const revokeAgent = endpoint({
  ...agents,
  method: 'delete',
  path: '/agents/:agentId',
  summary: 'Revoke an agent; its connection is cut',
  params: z.strictObject({ agentId: z.uuid() }),
  status: 204,
});
export const enrolAgent = endpoint({
  tag: 'Agents',
  access: 'anonymous',
  method: 'post',
  path: '/agent/enrol',
  summary: 'An agent trades its one-use token for its identity',
  body: enrolRequest,
  response: enrolResponse,
});
export const downloadArtifact = endpoint({
  tag: 'Agents',
  // Known by the signature of its key, not by a session or token.
  access: 'anonymous',
  method: 'get',
  path: '/agent/artifacts/:artifactId',
  summary: 'The bytes of an artifact, for the agent whose command names it',
  params: z.strictObject({ artifactId: id }),
  contentType: 'application/octet-stream',
});

export const listSeedHistory = endpoint({
  ...deployments,
  method: 'get',
  path: '/project/:projectId/history',
  summary: "SourceDeploy's history list; nextCursor is the next pageNo",
  params: inProject,
  query: z.strictObject({
    pageNo: z.coerce.number().int().min(1).max(100_000).default(1),
    pageSize: z.coerce.number().int().min(1).max(100).default(100),
  }),
  response: page(shapes.seedListed),
});
export const getSeedHistory = endpoint({
  ...deployments,
  method: 'get',
  path: '/project/:projectId/history/:historyId',
  summary: "SourceDeploy's history detail",
  params: z.strictObject({ projectId: id, historyId: id }),
  response: shapes.seedServerDetail,
});
