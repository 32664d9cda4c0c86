// Approvals: the decisions, the request as it is shown, what waits for the caller, and the link in the mail.
import type { Request, Response } from 'express';
import {
  findApproval,
  findFrozenPayload,
  listDecisions,
  listFirstRows,
  listWaitingFor,
} from '../../db/queries/approvals';
import { findInputForm } from '../../db/queries/inputColumns';
import type { JobRow } from '../../db/queries/jobs';
import { maySeeRequest } from '../../jobs/allowedActions';
import { decideLinked, isDecidable, readLink } from '../../jobs/approvals/actByLink';
import { approveJob, rejectJob, withdrawJob } from '../../jobs/commands/decideJob';
import { GantryError, notFound } from '../../lib/errors';
import type { ApiDeps } from '../apiDeps';
import * as contract from '../contract/approvals';
import type { ApprovalDoc } from '../contract/approvals';
import { uuidCursor } from '../contract/common';
import { implement, type Route } from '../contract/endpoint';
import { paged } from '../paged';
import { approvalPage, outcomePage, presentApproval } from '../presenters/approval';
import { rowOf } from '../presenters/rowOf';
import { readForm } from '../readForm';
import { getVisibleJob, showJob, showJobs } from './showJob';

const FIRST_ROWS = 20;

async function showApproval(deps: ApiDeps, job: JobRow, run: number): Promise<ApprovalDoc> {
  const { db } = deps;
  const approval = await findApproval(db, job.id, run);
  if (!approval) throw notFound('request for approval');
  const [payload, decisions, lines, { columns }] = await Promise.all([
    findFrozenPayload(db, job.id),
    listDecisions(db, job.id, run),
    listFirstRows(db, job.id, run, FIRST_ROWS),
    findInputForm(db, job.id),
  ]);
  const firstRows = lines.map(({ rowIndex, line }) => ({ rowIndex, row: rowOf(line, columns) }));
  return presentApproval({ job, approval, payload, decisions, firstRows });
}

export const approvalRoutes: Route[] = [
  implement(contract.approveJob, async ({ params, body, actor, deps }) =>
    showJob(deps, actor, await approveJob(deps.commands, actor, params.jobId, body)),
  ),
  implement(contract.rejectJob, async ({ params, body, actor, deps }) =>
    showJob(deps, actor, await rejectJob(deps.commands, actor, params.jobId, body)),
  ),
  implement(contract.withdrawJob, async ({ params, body, actor, deps }) =>
    showJob(deps, actor, await withdrawJob(deps.commands, actor, params.jobId, body)),
  ),
  implement(contract.getApproval, async ({ params, query, actor, deps }) => {
    const job = await getVisibleJob(deps, actor, params.jobId, maySeeRequest);
    return showApproval(deps, job, query.run ?? job.run);
  }),
  implement(contract.listApprovals, ({ query, actor, deps }) => {
    const { selfApproval = false } = deps.commands.settings;
    const asker = { id: actor.id, email: actor.email, isSuperadmin: actor.role === 'superadmin', selfApproval };
    return paged(
      query,
      uuidCursor,
      ({ after, limit }) => listWaitingFor(deps.db, asker, { before: after?.[0] ?? null, limit }),
      (row) => [row.id],
      (rows) => showJobs(deps, actor, rows),
    );
  }),
  implement(contract.openApprovalLink, ({ params, request, response, deps }) =>
    inWords(request, response, async () => {
      const linked = await readLink(deps.db, deps.approvalLinks, params.token);
      const jobUrl = jobUrlOf(deps, linked.job.id);
      const nonce = nonceOf(response);
      if (!isDecidable(linked, deps.commands.settings.selfApproval ?? false)) {
        const message = `The job is ${linked.job.state.replaceAll('_', ' ')}; there is nothing left for you to decide.`;
        return outcomePage('Nothing to decide', message, jobUrl, nonce);
      }
      const doc = await showApproval(deps, linked.job, linked.run);
      return approvalPage(doc, linked.approver.name, jobUrl, nonce);
    }),
  ),
  implement(contract.decideByLink, ({ params, request, response, deps }) =>
    inWords(request, response, async () => {
      const linked = await readLink(deps.db, deps.approvalLinks, params.token);
      const { decision, reason } = await readForm(request, contract.linkForm);
      const job = await decideLinked(deps.commands, linked, request.id, decision, reason.trim());
      const done = decision === 'approve' ? 'Approved' : 'Rejected';
      const message =
        job.state === 'awaiting_approval'
          ? `Your approval of "${job.title}" is counted; others have to approve it, too.`
          : `"${job.title}" is ${job.state.replaceAll('_', ' ')} now.`;
      return outcomePage(done, message, jobUrlOf(deps, job.id), nonceOf(response));
    }),
  ),
];

function jobUrlOf(deps: ApiDeps, jobId: string): string {
  return `${deps.config.baseUrl}/admin/jobs/${jobId}`;
}

function nonceOf(response: Response): string {
  return (response.locals as { nonce: string }).nonce;
}

/** Who followed the link with a browser gets a page also when it is refused; programs get a problem document. */
async function inWords(request: Request, response: Response, page: () => Promise<string>): Promise<void> {
  try {
    response.type('html').send(await page());
  } catch (error) {
    if (!(error instanceof GantryError) || request.accepts(['json', 'html']) !== 'html') throw error;
    const fields = error.extras.fields?.map(({ path, message }) => ` (${path}: ${message})`).join('') ?? '';
    const text = outcomePage('Not decided', error.message + fields, null, nonceOf(response));
    response.status(error.status).type('html').send(text);
  }
}
