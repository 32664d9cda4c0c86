// The mail that asks somebody to decide on a job: who asks, what for, and one signed link, in the reader's language.
// The link is signed when the mail is written: a stolen table of notices opens nothing.
import { APPROVAL_LINK_PATH } from '../../lib/approvalLink';
import type { PayloadBase, Reader } from '../payload';
import {
  htmlTemplate,
  subjectOf,
  textTemplate,
  tongueOf,
  type Page,
  type RenderedNotice,
  type Tongue,
} from '../render';

export const APPROVAL_WANTED = 'approval-wanted';

/** Frozen when the request is made, by jobs/approvals/requestApproval.ts. */
export interface ApprovalWantedPayload extends PayloadBase {
  reader: Reader;
  approverId: string;
  jobId: string;
  run: number;
  kind: string;
  title: string;
  requesterName: string;
  /** Rows of this run; null: a job without rows. */
  rowTotal: number | null;
  quorum: number;
  /** Hex. */
  requestHash: string;
  expiresAt: string;
}

const TEXT = textTemplate<ReturnType<typeof valuesOf>>(`{{hello}}

{{asks}}

{{words.kind}} {{kind}}
{{#if rows}}{{words.rows}} {{rows}}
{{/if}}{{words.run}} {{run}}
{{words.expires}} {{expires}}
{{words.hash}} {{requestHash}}
{{#if several}}
{{several}}
{{/if}}
{{words.link}}: {{link}}

{{words.personal}}
`);

const HTML = htmlTemplate<ReturnType<typeof valuesOf>>(`<p>{{hello}}</p>
<p>{{asks}}</p>
<p>{{words.kind}} {{kind}}<br>{{#if rows}}{{words.rows}} {{rows}}<br>{{/if}}{{words.run}} {{run}}<br>{{words.expires}} {{expires}}<br>{{words.hash}} <code>{{requestHash}}</code></p>
{{#if several}}<p>{{several}}</p>{{/if}}
<p><a href="{{link}}">{{words.link}}</a></p>
<p style="color: #666"><small>{{words.personal}}</small></p>`);

export function renderApprovalWanted(payload: ApprovalWantedPayload, page: Page): RenderedNotice {
  const tongue = tongueOf(page.reader);
  const values = valuesOf(payload, page, tongue);
  const subject = subjectOf(tongue.words.approvalWanted.subject(payload.title));
  return { subject, text: TEXT(values), html: HTML(values) };
}

function valuesOf(payload: ApprovalWantedPayload, page: Page, tongue: Tongue) {
  const { approvalWanted: words, hello } = tongue.words;
  const { kind, rowTotal, quorum, requestHash, run } = payload;
  const token = page.approvalLinks.tokenFor({ ...payload, expiresAt: new Date(payload.expiresAt) });
  return {
    language: tongue.language,
    words,
    hello: hello(page.reader.name),
    asks: words.asks(payload.requesterName, payload.title),
    kind,
    rows: rowTotal === null ? '' : tongue.amount(rowTotal).count,
    run: String(run),
    expires: tongue.time(payload.expiresAt),
    requestHash,
    several: quorum > 1 ? words.quorum(tongue.amount(quorum)) : '',
    link: `${page.baseUrl}${APPROVAL_LINK_PATH}${token}`,
  };
}
