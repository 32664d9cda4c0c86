// The one notice of an ended job: subject, text and HTML from the frozen payload, in the reader's language.
import type { NoticePayload } from '../payload';
import {
  endedState,
  htmlTemplate,
  subjectOf,
  textTemplate,
  tongueOf,
  type Page,
  type RenderedNotice,
  type Tongue,
} from '../render';

const TEXT = textTemplate<ReturnType<typeof valuesOf>>(`{{hello}}

{{sentence}}
{{#if error}}
{{error.message}} ({{error.code}})
{{/if}}{{#if rows}}
{{rows}}
{{#if open}}{{open}}
{{/if}}{{/if}}{{#if topErrors}}
{{words.causes}}
{{#each topErrors}}  {{count}} x {{code}}: {{message}}
{{/each}}{{/if}}
{{#if startedAt}}{{words.started}} {{startedAt}}
{{/if}}{{words.finished}} {{finishedAt}}{{#if took}} {{took}}{{/if}}
{{words.run}} {{run}}

{{words.link}}
{{link}}
`);

const HTML = htmlTemplate<ReturnType<typeof valuesOf>>(`<p>{{hello}}</p>
<p>{{sentence}}</p>
{{#if error}}<p style="color: #a00">{{error.message}} ({{error.code}})</p>{{/if}}
{{#if rows}}<p>{{rows}}{{#if open}} {{open}}{{/if}}</p>{{/if}}
{{#if topErrors}}<p>{{words.causes}}</p>
<ul>{{#each topErrors}}<li>{{count}} &times; {{code}}: {{message}}</li>{{/each}}</ul>{{/if}}
<p>{{#if startedAt}}{{words.started}} {{startedAt}}<br>{{/if}}{{words.finished}} {{finishedAt}}{{#if took}} {{took}}{{/if}}<br>{{words.run}} {{run}}</p>
<p><a href="{{link}}">{{words.link}}</a></p>`);

export function renderJobEnded(payload: NoticePayload, page: Page): RenderedNotice {
  const tongue = tongueOf(page.reader);
  const values = valuesOf(payload, page, tongue);
  const subject = subjectOf(tongue.words.jobEnded.subject(payload.title, endedState(payload.state)));
  return { subject, text: TEXT(values), html: HTML(values) };
}

function valuesOf(payload: NoticePayload, page: Page, tongue: Tongue) {
  const { jobEnded: words, hello } = tongue.words;
  const { total, good, failed, skipped, title, startedAt, finishedAt } = payload;
  const state = endedState(payload.state);
  const amount = tongue.amount;
  const open = total === null ? 0 : total - good - failed - skipped;
  const rows = { good: amount(good), failed: amount(failed), skipped: amount(skipped) };
  return {
    language: tongue.language,
    words,
    hello: hello(page.reader.name),
    sentence: payload.toOther ? words.theirs(payload.ownerName, title, state) : words.yours(title, state),
    error: payload.error,
    rows: total === null ? '' : words.rows({ ...rows, total: amount(total) }),
    open: open > 0 ? words.notDealtWith(amount(open)) : '',
    topErrors: payload.topErrors.map((error) => ({ ...error, count: amount(error.count).count })),
    startedAt: startedAt && tongue.time(startedAt),
    finishedAt: tongue.time(finishedAt),
    took: startedAt && words.took(tongue.duration(Date.parse(finishedAt) - Date.parse(startedAt))),
    run: String(payload.run),
    link: `${page.baseUrl}/admin/jobs/${payload.jobId}`,
  };
}
