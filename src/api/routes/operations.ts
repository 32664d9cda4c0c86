// Operations: made, changed and deleted by superadmins.
import type { z } from 'zod';
import { insertAudit } from '../../db/queries/audit';
import {
  deleteOperation,
  findOperation,
  hasOpenJobs,
  insertOperation,
  listOperations,
  updateOperation,
  type OperationRow,
} from '../../db/queries/operations';
import { rulesOf } from '../../jobs/approvals/rules';
import type { ApprovalRules } from '../../jobs/define';
import { OPERATION_PREFIX } from '../../jobs/definitions/batch-operation';
import { createHostGuard } from '../../jobs/massActions/hostGuard';
import { GantryError, invalid, notFound } from '../../lib/errors';
import type { ApiDeps } from '../apiDeps';
import type { SecretBox } from '../../lib/secretBox';
import { implement, type Route } from '../contract/endpoint';
import * as contract from '../contract/operations';
import { paged } from '../paged';
import { versionOf } from '../router';

type Doc = z.infer<typeof contract.operationDoc>;
const DEFAULT_RETRY = { attempts: 5, minDelayMs: 1000, maxDelayMs: 60_000 };

function presentOperation(row: OperationRow): Doc {
  return {
    key: row.key,
    kind: OPERATION_PREFIX + row.key,
    title: row.title,
    menu: row.menu,
    endpoint: row.endpoint,
    supportsDryRun: row.supportsDryRun,
    supportsUndo: row.supportsUndo,
    adaptive: row.adaptive,
    needsApproval: row.needsApproval,
    approval: row.approval === null ? null : rulesOf(JSON.parse(row.approval) as ApprovalRules),
    hasSecret: row.secretBox !== null,
    chunkSize: row.chunkSize,
    concurrency: row.concurrency,
    ratePerSecond: row.ratePerSecond,
    timeoutMs: row.timeoutMs,
    retry: { ...DEFAULT_RETRY, ...(JSON.parse(row.retry) as object) },
    paramsSchema: row.paramsSchema === null ? null : (JSON.parse(row.paramsSchema) as unknown),
    rowSchema: row.rowSchema === null ? null : (JSON.parse(row.rowSchema) as unknown),
    roles: row.roles as Doc['roles'],
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    version: row.version,
  };
}

type Change = Partial<z.infer<NonNullable<typeof contract.changeOperation.body>>>;

/** Json columns are text, the secret a sealed box; what was not sent stays as it is. */
function columnsOf(body: Change, box: SecretBox) {
  const { secret, retry, approval, paramsSchema, rowSchema, ...plain } = body;
  const text = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
  return {
    ...plain,
    ...(secret === undefined ? {} : { secretBox: secret === null ? null : box.seal(secret) }),
    ...(retry === undefined ? {} : { retry: JSON.stringify(retry) }),
    ...(approval === undefined ? {} : { approval: text(approval) }),
    ...(paramsSchema === undefined ? {} : { paramsSchema: text(paramsSchema) }),
    ...(rowSchema === undefined ? {} : { rowSchema: text(rowSchema) }),
  };
}

/** Told at once instead of with the first chunk. Names are judged again at each call, when they are resolved. */
function refuseHost(deps: ApiDeps, endpoint: string | undefined): void {
  const fault = endpoint === undefined ? null : createHostGuard(deps.config.operationsAllowHosts).faultOf(endpoint);
  if (fault) throw invalid([{ path: 'endpoint', message: fault }]);
}

export const operationRoutes: Route[] = [
  implement(contract.listOperations, ({ query, deps }) =>
    paged(
      query,
      contract.operationCursor,
      ({ after, limit }) => listOperations(deps.db, { after: after?.[0] ?? null, limit }),
      (row) => [row.key],
      (rows) => rows.map(presentOperation),
    ),
  ),
  implement(contract.createOperation, async ({ body, actor, deps }) => {
    refuseHost(deps, body.endpoint);
    const {
      key,
      title,
      endpoint,
      menu = ['Operations'],
      supportsDryRun,
      supportsUndo,
      adaptive,
      needsApproval,
      chunkSize,
      concurrency,
      timeoutMs,
      roles,
      ...rest
    } = body;
    return deps.db.transaction().execute(async (tx) => {
      const made = await insertOperation(tx, {
        ...{
          key,
          title,
          endpoint,
          menu,
          supportsDryRun,
          supportsUndo,
          adaptive,
          needsApproval,
          chunkSize,
          concurrency,
          timeoutMs,
          roles,
          retry: '{}',
        },
        ...columnsOf(rest, deps.secretBox),
      });
      if (!made)
        throw new GantryError(
          'already_exists',
          `There is an operation "${key}" already; nothing was changed. Choose another key, or change that one.`,
        );
      const document = presentOperation(made);
      await insertAudit(tx, {
        actor,
        action: 'operation.create',
        subjectType: 'operation',
        subjectId: key,
        after: document,
      });
      return document;
    });
  }),
  implement(contract.getOperation, async ({ params, deps }) => {
    const row = await findOperation(deps.db, params.key);
    if (!row) throw notFound('operation');
    return presentOperation(row);
  }),
  implement(contract.changeOperation, async ({ params, body, actor, deps, request }) => {
    const version = versionOf(request);
    refuseHost(deps, body.endpoint);
    return deps.db.transaction().execute(async (tx) => {
      const before = await findOperation(tx, params.key);
      if (!before) throw notFound('operation');
      const after = await updateOperation(tx, params.key, version, columnsOf(body, deps.secretBox));
      if (!after)
        throw new GantryError(
          'version_moved',
          'Somebody changed this operation meanwhile; nothing of yours was stored. Read it again and repeat the change.',
        );
      const document = presentOperation(after);
      const secret = body.secret === undefined ? {} : { secret: 'changed' };
      await insertAudit(tx, {
        actor,
        action: 'operation.change',
        subjectType: 'operation',
        subjectId: params.key,
        before: presentOperation(before),
        after: { ...document, ...secret },
      });
      return document;
    });
  }),
  implement(contract.deleteOperation, async ({ params, actor, deps }) => {
    await deps.db.transaction().execute(async (tx) => {
      const before = await findOperation(tx, params.key);
      if (!before) throw notFound('operation');
      if (await hasOpenJobs(tx, OPERATION_PREFIX + params.key)) {
        throw new GantryError(
          'in_use',
          'Jobs of this operation still go on; nothing was deleted. Cancel them or wait for their end.',
        );
      }
      await deleteOperation(tx, params.key);
      await insertAudit(tx, {
        actor,
        action: 'operation.delete',
        subjectType: 'operation',
        subjectId: params.key,
        before: presentOperation(before),
      });
    });
    return undefined;
  }),
];
