// A request for approval -> its document, and the page behind the link in the mail. Pure; every value in the page is escaped.
import { Utils } from 'handlebars';
import type { ApprovalRow, DecisionRow, FrozenPayload } from '../../db/queries/approvals';
import type { JobRow } from '../../db/queries/jobs';
import type { ApprovalDoc } from '../contract/approvals';

export interface ShownApproval {
  job: JobRow;
  approval: ApprovalRow;
  payload: FrozenPayload;
  decisions: DecisionRow[];
  firstRows: { rowIndex: number; row: unknown }[];
}

export function presentApproval({ job, approval, payload, decisions, firstRows }: ShownApproval): ApprovalDoc {
  const { jobId, run, quorum, approvers, requesterId, requesterName } = approval;
  return {
    jobId,
    run,
    state: stateOf(job, approval, decisions),
    jobState: job.state,
    requester: { id: requesterId, name: requesterName },
    requestedAt: approval.requestedAt.toISOString(),
    expiresAt: approval.expiresAt.toISOString(),
    quorum,
    approvers,
    requestHash: approval.requestHash.toString('hex'),
    kind: payload.kind,
    title: payload.title,
    params: JSON.parse(payload.params) as unknown,
    paramsText: payload.params,
    rows:
      payload.rowTotal === null
        ? null
        : {
            total: payload.rowTotal,
            sha256: payload.inputSha256?.toString('hex') ?? null,
            ofRun: approval.runTotal ?? payload.rowTotal,
            first: firstRows,
          },
    decisions: decisions.map(({ userId, userName, decision, reason, byLink, at }) => ({
      user: { id: userId, name: userName },
      decision: decision as 'approved',
      reason,
      byLink,
      at: at.toISOString(),
    })),
  };
}

/** As the templates of mails do it. */
const escape = Utils.escapeExpression;

/** Derived, so that it can never differ from what became of the job. */
function stateOf(job: JobRow, approval: ApprovalRow, decisions: DecisionRow[]): ApprovalDoc['state'] {
  const { outcome } = approval;
  if (outcome === 'rejected' || outcome === 'withdrawn' || outcome === 'expired') return outcome;
  if (decisions.filter(({ decision }) => decision === 'approved').length >= approval.quorum) return 'approved';
  if (job.state === 'awaiting_approval' && job.run === approval.run) return approval.isOver ? 'expired' : 'open';
  // Approved by the version before decisions were kept: the run went on.
  return outcome === null || job.startedAt !== null ? 'approved' : 'canceled';
}

const SHOWN_CHARACTERS = 4000;
const SHOWN_ROWS = 5;

/** The page that asks once more. Without script; `nonce` lets its one style through. */
export function approvalPage(doc: ApprovalDoc, approverName: string, jobUrl: string, nonce: string): string {
  const rows = doc.rows
    ? `<dt>Rows</dt><dd>${doc.rows.ofRun}${doc.rows.ofRun === doc.rows.total ? '' : ` of ${doc.rows.total}`}</dd>
<dt>First rows</dt><dd><pre>${doc.rows.first
        .slice(0, SHOWN_ROWS)
        .map(({ rowIndex, row }) => escape(`#${rowIndex} ${cut(JSON.stringify(row))}`))
        .join('\n')}</pre></dd>`
    : '';
  const given = doc.decisions.map(({ user, decision }) => escape(`${user.name}: ${decision}`)).join('<br>');
  const body = `<p>${escape(doc.requester.name)} asks for your approval, ${escape(approverName)}.</p>
<dl><dt>Job</dt><dd>${escape(doc.title)}</dd><dt>Kind</dt><dd>${escape(doc.kind)}</dd>
<dt>Parameters</dt><dd><pre>${escape(cut(doc.paramsText))}</pre></dd>
${rows}
<dt>Request hash</dt><dd><code>${doc.requestHash}</code></dd>
<dt>Expires</dt><dd>${doc.expiresAt.slice(0, 16).replace('T', ' ')} UTC</dd>
<dt>Approvals needed</dt><dd>${doc.quorum}</dd>${given ? `<dt>Decided so far</dt><dd>${given}</dd>` : ''}</dl>
<form method="post"><p><label>Reason (needed to reject)<br><textarea name="reason" rows="3" cols="60" maxlength="2000" required></textarea></label></p>
<p><button name="decision" value="approve" formnovalidate>Approve</button> <button name="decision" value="reject">Reject</button></p></form>`;
  return layout('Approval wanted', body, jobUrl, nonce);
}

/** What came of the link: decided, or why not. */
export function outcomePage(title: string, message: string, jobUrl: string | null, nonce: string): string {
  return layout(title, `<p>${escape(message)}</p>`, jobUrl, nonce);
}

function layout(title: string, body: string, jobUrl: string | null, nonce: string): string {
  const link = jobUrl === null ? '' : `<p><a href="${escape(jobUrl)}">Open the job in Gantry</a></p>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">
<title>${escape(title)}</title><style nonce="${nonce}">body{font-family:sans-serif;max-width:45rem;margin:2rem auto;padding:0 1rem}pre,code{white-space:pre-wrap;overflow-wrap:anywhere}dt{font-weight:bold}</style></head>
<body><main><h1>${escape(title)}</h1>
${body}
${link}</main></body></html>
`;
}

function cut(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)} …` : text;
}
