// The one notice of an ended job: subject, text and HTML from the frozen payload. Values are data, never template text.
import Handlebars from 'handlebars';
import type { NoticePayload } from '../payload';

export interface RenderedNotice {
  subject: string;
  text: string;
  html: string;
}

/** The words of every state a job can end in; other states never make a notice. */
const ENDED: Record<string, string> = {
  succeeded: 'succeeded',
  completed_with_errors: 'completed with errors',
  failed: 'failed',
  canceled: 'was canceled',
  rejected: 'was rejected',
  withdrawn: 'was withdrawn',
  expired: 'expired before it was approved',
};

const SUBJECT = Handlebars.compile('{{title}} {{ended}}', { noEscape: true });

const TEXT = Handlebars.compile(
  `Hello {{ownerName}},

your job "{{title}}" {{ended}}.
{{#if error}}
{{error.message}} ({{error.code}})
{{/if}}{{#if rows}}
Rows: {{rows.total}} in all, {{rows.good}} good, {{rows.failed}} failed, {{rows.skipped}} skipped.
{{#if rows.open}}{{rows.open}} were not dealt with.
{{/if}}{{/if}}{{#if topErrors}}
Most frequent causes:
{{#each topErrors}}  {{count}} x {{code}}: {{message}}
{{/each}}{{/if}}
{{#if startedAt}}Started:  {{startedAt}}
{{/if}}Finished: {{finishedAt}}{{#if took}} (took {{took}}){{/if}}
Run:      {{run}}

Details, log and error file: {{link}}
`,
  { noEscape: true },
);

const HTML = Handlebars.compile(`<!doctype html>
<html><body style="font-family: sans-serif; color: #222">
<p>Hello {{ownerName}},</p>
<p>your job <strong>{{title}}</strong> {{ended}}.</p>
{{#if error}}<p style="color: #a00">{{error.message}} ({{error.code}})</p>{{/if}}
{{#if rows}}<p>Rows: {{rows.total}} in all, {{rows.good}} good, {{rows.failed}} failed, {{rows.skipped}} skipped.{{#if rows.open}} {{rows.open}} were not dealt with.{{/if}}</p>{{/if}}
{{#if topErrors}}<p>Most frequent causes:</p>
<ul>{{#each topErrors}}<li>{{count}} &times; {{code}}: {{message}}</li>{{/each}}</ul>{{/if}}
<p>{{#if startedAt}}Started: {{startedAt}}<br>{{/if}}Finished: {{finishedAt}}{{#if took}} (took {{took}}){{/if}}<br>Run: {{run}}</p>
<p><a href="{{link}}">Details, log and error file</a></p>
</body></html>
`);

export function renderJobEnded(payload: NoticePayload, baseUrl: string): RenderedNotice {
  const { total, good, failed, skipped } = payload;
  const values = {
    ...payload,
    ended: ENDED[payload.state] ?? payload.state,
    startedAt: payload.startedAt && readable(payload.startedAt),
    finishedAt: readable(payload.finishedAt),
    took: payload.startedAt && duration(Date.parse(payload.finishedAt) - Date.parse(payload.startedAt)),
    rows:
      total === null
        ? null
        : {
            total: String(total),
            good: String(good),
            failed: String(failed),
            skipped: String(skipped),
            open: total - good - failed - skipped,
          },
    link: `${baseUrl}/admin/jobs/${payload.jobId}`,
  };
  return { subject: SUBJECT(values).slice(0, 250), text: TEXT(values), html: HTML(values) };
}

function readable(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'min'],
    [seconds % 60, 's'],
  ] as const;
  const told = parts.filter(([value]) => value > 0).map(([value, unit]) => `${value} ${unit}`);
  return told.length > 0 ? told.join(' ') : 'less than a second';
}
