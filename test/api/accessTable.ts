// Who may call what, written down by hand from the roles of ARCHITECTURE.md and api.md. It is not made from the contract: a new
// route, or one whose access changes, fails access.test.ts until its row here says so, too.

/** anybody: without signing in; powerUser: power users and superadmins. */
export type Callers = 'anybody' | 'signedIn' | 'powerUser' | 'superadmin';

export const ACCESS: Record<string, Callers> = {
  'POST /api/v1/session': 'anybody',
  'DELETE /api/v1/session': 'anybody',
  'GET /api/v1/auth/methods': 'anybody',
  'GET /api/v1/auth/oidc/start': 'anybody',
  'GET /api/v1/auth/oidc/callback': 'anybody',
  'GET /api/v1/me': 'signedIn',
  'PATCH /api/v1/me': 'signedIn',
  'GET /api/v1/users': 'superadmin',
  'POST /api/v1/users': 'superadmin',
  'GET /api/v1/users/:userId': 'superadmin',
  'PATCH /api/v1/users/:userId': 'superadmin',
  'DELETE /api/v1/users/:userId': 'superadmin',
  'GET /api/v1/tokens': 'signedIn',
  'POST /api/v1/tokens': 'signedIn',
  'DELETE /api/v1/tokens/:tokenId': 'signedIn',
  'GET /api/v1/job-kinds': 'signedIn',
  'POST /api/v1/jobs': 'signedIn',
  'GET /api/v1/jobs': 'signedIn',
  'GET /api/v1/jobs/counts': 'signedIn',
  'GET /api/v1/jobs/:jobId': 'signedIn',
  'GET /api/v1/jobs/:jobId/events': 'signedIn',
  'GET /api/v1/jobs/:jobId/runs': 'signedIn',
  'GET /api/v1/jobs/:jobId/attempts': 'signedIn',
  'GET /api/v1/jobs/:jobId/errors': 'signedIn',
  'GET /api/v1/jobs/:jobId/errors/groups': 'signedIn',
  'GET /api/v1/jobs/:jobId/errors.csv': 'signedIn',
  'GET /api/v1/jobs/:jobId/errors.ndjson': 'signedIn',
  'GET /api/v1/jobs/:jobId/log': 'signedIn',
  'GET /api/v1/jobs/:jobId/log/lines': 'signedIn',
  'GET /api/v1/jobs/:jobId/report': 'signedIn',
  'PATCH /api/v1/jobs/:jobId': 'signedIn',
  'POST /api/v1/jobs/:jobId/cancel': 'signedIn',
  'POST /api/v1/jobs/:jobId/requeue': 'superadmin',
  'POST /api/v1/jobs/:jobId/pause': 'superadmin',
  'POST /api/v1/jobs/:jobId/resume': 'signedIn',
  'POST /api/v1/jobs/:jobId/prioritize': 'superadmin',
  // Superadmins, or the approvers whom the kind names, whatever their role.
  'POST /api/v1/jobs/:jobId/approve': 'signedIn',
  'POST /api/v1/jobs/:jobId/reject': 'signedIn',
  'POST /api/v1/jobs/:jobId/withdraw': 'signedIn',
  'GET /api/v1/jobs/:jobId/approval': 'signedIn',
  'GET /api/v1/approvals': 'signedIn',
  'GET /api/v1/approvals/link/:token': 'anybody',
  'POST /api/v1/approvals/link/:token': 'anybody',
  'DELETE /api/v1/jobs/:jobId': 'powerUser',
  'GET /api/v1/saved-filters': 'signedIn',
  'POST /api/v1/saved-filters': 'signedIn',
  'PATCH /api/v1/saved-filters/:filterId': 'signedIn',
  'DELETE /api/v1/saved-filters/:filterId': 'signedIn',
  'GET /api/v1/me/hidden-kinds': 'signedIn',
  'PUT /api/v1/me/hidden-kinds': 'signedIn',
  'POST /api/v1/bulk-actions': 'powerUser',
  'GET /api/v1/bulk-actions': 'powerUser',
  'GET /api/v1/bulk-actions/:bulkId': 'powerUser',
  'GET /api/v1/bulk-actions/:bulkId/results': 'powerUser',
  'POST /api/v1/bulk-actions/:bulkId/abort': 'powerUser',
  'GET /api/v1/notifications': 'signedIn',
  'POST /api/v1/notifications/read': 'signedIn',
  'GET /api/v1/export/jobs.csv': 'signedIn',
  'GET /api/v1/operations': 'superadmin',
  'POST /api/v1/operations': 'superadmin',
  'GET /api/v1/operations/:key': 'superadmin',
  'PATCH /api/v1/operations/:key': 'superadmin',
  'DELETE /api/v1/operations/:key': 'superadmin',
  'GET /api/v1/projects': 'signedIn',
  'POST /api/v1/projects': 'superadmin',
  'GET /api/v1/projects/:projectId': 'signedIn',
  'PATCH /api/v1/projects/:projectId': 'superadmin',
  'DELETE /api/v1/projects/:projectId': 'superadmin',
  'GET /api/v1/projects/:projectId/members': 'signedIn',
  'POST /api/v1/projects/:projectId/members': 'superadmin',
  'DELETE /api/v1/projects/:projectId/members/:userId': 'superadmin',
  'GET /api/v1/projects/:projectId/stages': 'signedIn',
  'POST /api/v1/projects/:projectId/stages': 'superadmin',
  'GET /api/v1/projects/:projectId/stages/:stageId': 'signedIn',
  'PATCH /api/v1/projects/:projectId/stages/:stageId': 'superadmin',
  'DELETE /api/v1/projects/:projectId/stages/:stageId': 'superadmin',
  'GET /api/v1/projects/:projectId/scenarios': 'signedIn',
  'POST /api/v1/projects/:projectId/scenarios': 'signedIn',
  'GET /api/v1/projects/:projectId/scenarios/:scenarioId': 'signedIn',
  'PATCH /api/v1/projects/:projectId/scenarios/:scenarioId': 'signedIn',
  'DELETE /api/v1/projects/:projectId/scenarios/:scenarioId': 'signedIn',
  'POST /api/v1/projects/:projectId/scenarios/:scenarioId/deploy': 'signedIn',
  'GET /api/v1/projects/:projectId/artifacts': 'signedIn',
  'POST /api/v1/projects/:projectId/artifacts': 'signedIn',
  'GET /api/v1/projects/:projectId/artifacts/:artifactId': 'signedIn',
  'DELETE /api/v1/projects/:projectId/artifacts/:artifactId': 'signedIn',
  'GET /api/v1/agent/artifacts/:artifactId': 'anybody',
  'GET /api/v1/deployments/:deploymentId': 'signedIn',
  'GET /api/v1/deployments/:deploymentId/targets': 'signedIn',
  'GET /api/v1/deployments/:deploymentId/steps': 'signedIn',
  'GET /api/v1/deployments/:deploymentId/log': 'signedIn',
  'POST /api/v1/deployments/:deploymentId/cancel': 'signedIn',
  'GET /api/v1/deployment-history': 'signedIn',
  'GET /api/v1/deployment-history/:deploymentId/entries': 'signedIn',
  'GET /api/v1/project/:projectId/history': 'signedIn',
  'GET /api/v1/project/:projectId/history/:historyId': 'signedIn',
  'GET /api/v1/agents': 'superadmin',
  'POST /api/v1/agents/enrolment-tokens': 'superadmin',
  'DELETE /api/v1/agents/:agentId': 'superadmin',
  'POST /api/v1/agent/enrol': 'anybody',
  'GET /api/v1/workers': 'superadmin',
  'GET /api/v1/audit': 'superadmin',
  'GET /api/v1/retention': 'superadmin',
  'GET /api/v1/stream': 'signedIn',
  'GET /healthz': 'anybody',
  'GET /readyz': 'anybody',
  'GET /metrics': 'anybody',
};

/** yes: done, or refused for another reason than who asks; 403: the role may not; 404: not there for this caller. */
export type Verdict = 'yes' | 403 | 404;

interface JobRow {
  /** On own jobs; superadmins may do everything to every job. */
  own: { user: Verdict; power_user: Verdict };
  /** On the jobs of others. */
  foreign: { user: Verdict; power_user: Verdict };
}

const HIDDEN = { user: 404, power_user: 404 } as const;
const BARRED = { user: 403, power_user: 403 } as const;
/** Own jobs may be read and steered so; those of others are not there. */
const OWNERS: JobRow = { own: { user: 'yes', power_user: 'yes' }, foreign: HIDDEN };
/** The role is refused before any job is looked for, so that the answer tells nothing of it. */
const SUPERADMINS: JobRow = { own: BARRED, foreign: BARRED };

export const JOB_ACCESS: Record<string, JobRow> = {
  'GET /api/v1/jobs/:jobId': OWNERS,
  'GET /api/v1/jobs/:jobId/events': OWNERS,
  'GET /api/v1/jobs/:jobId/runs': OWNERS,
  'GET /api/v1/jobs/:jobId/errors': OWNERS,
  'GET /api/v1/jobs/:jobId/errors/groups': OWNERS,
  'GET /api/v1/jobs/:jobId/errors.csv': OWNERS,
  'GET /api/v1/jobs/:jobId/errors.ndjson': OWNERS,
  'GET /api/v1/jobs/:jobId/log': OWNERS,
  'GET /api/v1/jobs/:jobId/log/lines': OWNERS,
  'GET /api/v1/jobs/:jobId/report': OWNERS,
  'PATCH /api/v1/jobs/:jobId': OWNERS,
  'POST /api/v1/jobs/:jobId/cancel': OWNERS,
  'POST /api/v1/jobs/:jobId/withdraw': OWNERS,
  // What waits for its trial or its limit; a pause of a superadmin's is a superadmin's to end.
  'POST /api/v1/jobs/:jobId/resume': OWNERS,
  'DELETE /api/v1/jobs/:jobId': { own: { user: 403, power_user: 'yes' }, foreign: { user: 403, power_user: 404 } },
  'POST /api/v1/jobs/:jobId/requeue': SUPERADMINS,
  'POST /api/v1/jobs/:jobId/pause': SUPERADMINS,
  'POST /api/v1/jobs/:jobId/prioritize': SUPERADMINS,
  // test/api/approvals.test.ts says what named approvers may.
  'POST /api/v1/jobs/:jobId/approve': { own: BARRED, foreign: HIDDEN },
  'POST /api/v1/jobs/:jobId/reject': { own: BARRED, foreign: HIDDEN },
  'GET /api/v1/jobs/:jobId/approval': OWNERS,
};
