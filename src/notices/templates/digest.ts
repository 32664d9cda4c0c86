// Many ended jobs in one mail: how many ended how, and the latest of them with links.
import type { DigestPayload } from '../payload';
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

{{intro}}
{{#each counts}}  {{this}}
{{/each}}

{{#each jobs}}{{sentence}}{{#if failed}} ({{failed}}){{/if}}
  {{at}}
  {{link}}
{{/each}}{{#if more}}{{more}}
{{/if}}
{{words.link}}
{{link}}

{{words.why}}
`);

const HTML = htmlTemplate<ReturnType<typeof valuesOf>>(`<p>{{hello}}</p>
<p>{{intro}}</p>
<ul>{{#each counts}}<li>{{this}}</li>{{/each}}</ul>
<ul>{{#each jobs}}<li><a href="{{link}}">{{sentence}}</a>{{#if failed}} ({{failed}}){{/if}}<br><small>{{at}}</small></li>{{/each}}
{{#if more}}<li>{{more}}</li>{{/if}}</ul>
<p><a href="{{link}}">{{words.link}}</a></p>
<p style="color: #666"><small>{{words.why}}</small></p>`);

export function renderDigest(payload: DigestPayload, page: Page): RenderedNotice {
  const tongue = tongueOf(page.reader);
  const values = valuesOf(payload, page, tongue);
  return { subject: subjectOf(values.subject), text: TEXT(values), html: HTML(values) };
}

function valuesOf(payload: DigestPayload, page: Page, tongue: Tongue) {
  const { words, amount } = tongue;
  const total = Object.values(payload.counts).reduce((sum, count) => sum + count, 0);
  const more = total - payload.jobs.length;
  return {
    language: tongue.language,
    words: words.digest,
    subject: words.digest.subject(amount(total)),
    hello: words.hello(page.reader.name),
    intro: words.digest.intro(amount(total)),
    counts: Object.entries(payload.counts).map(([state, count]) =>
      words.digest.state(amount(count), endedState(state)),
    ),
    jobs: payload.jobs.map((job) => ({
      sentence: words.jobEnded.subject(job.title, endedState(job.state)),
      failed: job.failed > 0 ? words.digest.failedRows(amount(job.failed)) : '',
      at: tongue.time(job.finishedAt),
      link: `${page.baseUrl}/admin/jobs/${job.jobId}`,
    })),
    more: more > 0 ? words.digest.more(amount(more)) : '',
    link: `${page.baseUrl}/admin/jobs`,
  };
}
