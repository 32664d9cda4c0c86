// The audit: read and verified by superadmins, written by nobody here.
import { listAudit, type AuditRow } from '../../db/queries/audit';
import { verifyChain } from '../../db/queries/auditChain';
import { databaseNow } from '../../db/queries/clock';
import { findUserByEmail } from '../../db/queries/users';
import { invalid } from '../../lib/errors';
import { isUuid } from '../../lib/ids';
import type { ApiDeps } from '../apiDeps';
import { numberCursor } from '../contract/common';
import { implement, type Route } from '../contract/endpoint';
import * as contract from '../contract/audit';
import { instantOf, type Fault } from '../../jobs/jobFilter';
import { paged } from '../paged';

const NOBODY = '00000000-0000-0000-0000-00000000dead';

function presentAudit({ actorId, actorName, at, before, after, ...row }: AuditRow) {
  const parse = (json: string | null): unknown => (json === null ? null : JSON.parse(json));
  return {
    ...row,
    at: at.toISOString(),
    actor: { id: actorId, name: actorName },
    before: parse(before),
    after: parse(after),
  };
}

/** E-mails of nobody become an id that did nothing. */
async function actorIdOf(deps: ApiDeps, actor: string | undefined): Promise<string | undefined> {
  if (actor === undefined || isUuid(actor)) return actor;
  return (await findUserByEmail(deps.db, actor))?.id ?? NOBODY;
}

export const auditRoutes: Route[] = [
  implement(contract.listAudit, async ({ query, deps }) => {
    const { actor, actorId, since, until, timeZone, cursor: _cursor, limit: _limit, ...filter } = query;
    const faults: Fault[] = [];
    const now = await databaseNow(deps.db);
    const wanted = {
      ...filter,
      actorId: actorId ?? (await actorIdOf(deps, actor)),
      since: instantOf('since', since, timeZone, now, faults) ?? undefined,
      until: instantOf('until', until, timeZone, now, faults) ?? undefined,
    };
    if (faults.length > 0) throw invalid(faults);
    return paged(
      query,
      numberCursor,
      ({ after, limit }) => listAudit(deps.db, { ...wanted, before: after?.[0] ?? null, limit }),
      (row) => [row.id],
      (rows) => rows.map(presentAudit),
    );
  }),
  implement(contract.verifyAudit, async ({ query, deps }) => {
    const check = await verifyChain(deps.db, query.after, query.limit);
    return { ok: check.faults.length === 0, ...check };
  }),
];
