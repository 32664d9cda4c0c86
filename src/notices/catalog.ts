// The kinds of notices, one line each: what turns a frozen payload into a mail. Used by the notice sender alone.
// A new kind: a payload with a `reader`, a template file, its words in each file of words/, a line here.
import type { Reader } from './payload';
import { renderAlert } from './templates/alert';
import { APPROVAL_WANTED, renderApprovalWanted } from './templates/approval-wanted';
import { renderDigest } from './templates/digest';
import { renderJobEnded } from './templates/job-ended';
import { inOneLine, type NoticeContext, type Page, type RenderedNotice } from './render';

const KINDS: Record<string, (payload: never, page: Page) => RenderedNotice> = {
  'job-ended': renderJobEnded,
  digest: renderDigest,
  [APPROVAL_WANTED]: renderApprovalWanted,
  alert: renderAlert,
  'alert-recovered': renderAlert,
};

export interface WrittenNotice extends RenderedNotice {
  readerName: string;
}

/** @throws Error for a kind that is not known here, or a payload that is no JSON. */
export function writeNotice(kind: string, payloadText: string, context: NoticeContext): WrittenNotice {
  const render = KINDS[kind];
  if (!render) throw new Error(`there is no notice of the kind "${kind}"`);
  const payload = JSON.parse(payloadText) as { reader?: Reader; ownerName?: string };
  const reader = payload.reader ?? { name: payload.ownerName ?? '', language: 'en', timeZone: 'UTC' };
  return { ...render(payload as never, { ...context, reader }), readerName: inOneLine(reader.name) };
}
