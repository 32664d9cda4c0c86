// Routes of deployments: the run, its targets, steps and log, cancel, the history in JS7's and SourceDeploy's shape.
import { databaseNow } from '../../../db/queries/clock';
import { findDeployment, listDeployments, type HistoryFilter } from '../../../db/queries/deployments';
import { findStepLog, listSteps, listTargets } from '../../../db/queries/deploymentTargets';
import { getProject, viewerOf } from '../../../jobs/deployments/access';
import { cancelDeployment } from '../../../jobs/deployments/cancelDeployment';
import { GROUP_OF_STATUS, RUN_STATUSES } from '../../../jobs/deployments/runStatus';
import type { Actor } from '../../../jobs/actor';
import { invalid, notFound } from '../../../lib/errors';
import type { ApiDeps } from '../../apiDeps';
import * as contract from '../../contract/deployments';
import { implement, type Route } from '../../contract/endpoint';
import { parseInstant } from '../../../lib/relativeTime';
import { pagedById } from './paged';
import * as present from './present';

const STATUSES: HistoryFilter['statuses'] = {
  deployed: RUN_STATUSES.filter((status) => GROUP_OF_STATUS[status] === 'deployed'),
  notDeployed: RUN_STATUSES.filter((status) => GROUP_OF_STATUS[status] === 'not_deployed'),
};

async function seen(deps: ApiDeps, actor: Actor, id: number) {
  const row = await findDeployment(deps.db, id, viewerOf(actor));
  if (!row) throw notFound('deployment');
  return row;
}

function instantOf(
  path: 'since' | 'until',
  query: { since?: string | undefined; until?: string | undefined; timeZone?: string | undefined },
  now: Date,
): Date | undefined {
  const text = query[path];
  if (text === undefined) return undefined;
  const instant = parseInstant(text, query.timeZone, now);
  if (instant) return instant;
  throw invalid([{ path, message: 'takes ISO 8601 or a relative time such as -10d, -1d2h or 0' }]);
}

export const deploymentRoutes: Route[] = [
  implement(contract.getDeployment, async ({ deps, actor, params }) =>
    present.presentDeployment(await seen(deps, actor, params.deploymentId)),
  ),
  implement(contract.listTargets, async ({ deps, actor, params, query }) => {
    const { id } = await seen(deps, actor, params.deploymentId);
    const found = await pagedById(
      query,
      (page) => listTargets(deps.db, id, page),
      (row) => row.position,
      (row) => row,
    );
    const steps = await listSteps(
      deps.db,
      found.items.map((row) => row.id),
    );
    return { ...found, items: found.items.map((row) => present.presentTarget(row, steps)) };
  }),
  implement(contract.listSteps, async ({ deps, actor, params, query }) => {
    const { id } = await seen(deps, actor, params.deploymentId);
    const found = await pagedById(
      query,
      (page) => listTargets(deps.db, id, page),
      (row) => row.position,
      (row) => row,
    );
    const names = new Map(found.items.map((row) => [row.id, row.agentName]));
    const steps = await listSteps(deps.db, [...names.keys()]);
    return { ...found, items: steps.map((step) => present.presentStep(step, names.get(step.targetId) ?? '')) };
  }),
  implement(contract.getDeploymentLog, async ({ deps, actor, params, response }) => {
    const { id } = await seen(deps, actor, params.deploymentId);
    response.type('text/plain; charset=utf-8');
    // Step by step, so that a log of many targets never stands in memory whole.
    for (const target of await listTargets(deps.db, id)) {
      for (const step of await listSteps(deps.db, [target.id])) {
        const log = (await findStepLog(deps.db, target.id, step.step)) ?? '';
        const head = `==> ${target.agentName} ${step.step} ${step.status}\n`;
        const tail = `${step.error ? `${step.error}\n` : ''}\n`;
        const flowing = response.write(head + log + (log === '' || log.endsWith('\n') ? '' : '\n') + tail);
        if (response.destroyed) return;
        if (!flowing) {
          await new Promise<void>((resolve) => {
            response.once('drain', resolve);
            response.once('close', resolve);
          });
        }
      }
    }
    response.end();
  }),
  implement(contract.cancelDeployment, async ({ deps, actor, params, body }) => {
    const row = await seen(deps, actor, params.deploymentId);
    await cancelDeployment(deps.commands, actor, row, body);
    return present.presentDeployment(await seen(deps, actor, params.deploymentId));
  }),

  implement(contract.listHistory, async ({ deps, actor, query }) => {
    const { state, account, project } = query;
    const now = await databaseNow(deps.db);
    const since = instantOf('since', query, now);
    const until = instantOf('until', query, now);
    const isId = project !== undefined && /^\d{1,9}$/.test(project);
    return pagedById(
      query,
      (page) =>
        listDeployments(deps.db, viewerOf(actor), {
          ...page,
          statuses: STATUSES,
          ...(state === undefined ? {} : { state }),
          ...(account === undefined ? {} : { account }),
          ...(project === undefined ? {} : isId ? { projectId: Number(project) } : { projectName: project }),
          ...(since === undefined ? {} : { since }),
          ...(until === undefined ? {} : { until }),
        }),
      (row) => row.id,
      present.presentHistory,
    );
  }),
  implement(contract.listEntries, async ({ deps, actor, params, query }) => {
    const deployment = await seen(deps, actor, params.deploymentId);
    return pagedById(
      query,
      (page) => listTargets(deps.db, deployment.id, page),
      (row) => row.position,
      (row) => present.presentEntry(row, deployment),
    );
  }),

  implement(contract.listSeedHistory, async ({ deps, actor, params, query }) => {
    await getProject(deps.db, actor, params.projectId);
    const { pageNo, pageSize } = query;
    const rows = await listDeployments(deps.db, viewerOf(actor), {
      projectId: params.projectId,
      statuses: STATUSES,
      after: null,
      limit: pageSize + 1,
      offset: (pageNo - 1) * pageSize,
    });
    const items = rows.slice(0, pageSize).map(present.presentSeedListed);
    return { items, nextCursor: rows.length > pageSize ? String(pageNo + 1) : null };
  }),
  implement(contract.getSeedHistory, async ({ deps, actor, params }) => {
    const row = await seen(deps, actor, params.historyId);
    if (row.projectId !== params.projectId) throw notFound('deployment');
    const targets = await listTargets(deps.db, row.id);
    const steps = await listSteps(
      deps.db,
      targets.map((target) => target.id),
    );
    return present.presentSeedServer(row, targets, steps);
  }),
];
