// Resubmitting a job with changes, and what was changed. Thin: read, command, present.
import { createHash } from 'node:crypto';
import { findInputFacts } from '../../db/queries/copyInput';
import { findJob } from '../../db/queries/jobs';
import { maySee } from '../../jobs/allowedActions';
import { findBadText } from '../../jobs/badText';
import { resubmitJob } from '../../jobs/commands/resubmitJob';
import { compareInput, compareParams, compareSettings } from '../../jobs/compareJobs';
import { GantryError, invalid, notFound } from '../../lib/errors';
import { newId } from '../../lib/ids';
import { canonicalJson } from '../../lib/signing';
import { implement, type Route } from '../contract/endpoint';
import * as contract from '../contract/resubmit';
import { memberText } from '../memberText';
import { makeOnce, reservationOf } from './idempotentStart';
import { parseText, readJsonText } from './jobStart';
import { getVisibleJob, showJob } from './showJob';

const ROUTE = 'POST /jobs/{id}/resubmit';

export const resubmitRoutes: Route[] = [
  implement(contract.resubmitJob, async ({ params, actor, deps, request, response }) => {
    if (!request.is('application/json')) {
      throw new GantryError('wrong_type', 'This call takes JSON: send Content-Type: application/json.');
    }
    const { jobId } = params;
    const text = await readJsonText(request, response);
    const asked = parseText(text, contract.resubmitBody);
    const badText = findBadText(asked, '');
    if (badText !== null)
      throw invalid([{ path: badText.slice(1), message: 'holds U+0000 or half of a surrogate pair' }]);
    const { runAt, ...body } = asked;
    const input = {
      ...body,
      paramsText: memberText(text, 'params') ?? undefined,
      runAt: runAt === undefined ? undefined : new Date(runAt),
    };
    const hash = createHash('sha256')
      .update(canonicalJson({ jobId, ...body, runAt }))
      .digest();
    const outcome = await makeOnce(deps, reservationOf(request, actor, ROUTE, newId()), hash, (once) => {
      const idempotency = once && { reservation: once.reservation, jobHash: once.hash };
      return resubmitJob(deps.commands, actor, jobId, { ...input, idempotency });
    });
    if ('standing' in outcome) response.setHeader('Idempotency-Replayed', 'true');
    const job = 'made' in outcome ? outcome.made : await findJob(deps.db, outcome.standing);
    if (!job) throw notFound('job');
    response.location(`/api/v1/jobs/${job.id}`);
    return showJob(deps, actor, job);
  }),
  implement(contract.getJobDifference, async ({ params, actor, deps }) => {
    const job = await getVisibleJob(deps, actor, params.jobId);
    const origin = job.derivedFrom === null ? job : await findJob(deps.db, job.derivedFrom);
    if (!origin || !maySee(origin, actor)) {
      throw new GantryError('not_found', 'The job that this one derives from is gone, or not yours to see.');
    }
    const { changes, more } = compareParams(origin.params, job.params);
    const [before, after] = [await findInputFacts(deps.db, origin.id), await findInputFacts(deps.db, job.id)];
    return {
      jobId: job.id,
      derivedFrom: job.derivedFrom,
      params: changes,
      moreParams: more,
      rows: compareInput(before, after),
      settings: compareSettings(origin, job),
    };
  }),
];
