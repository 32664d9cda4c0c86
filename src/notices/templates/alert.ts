// What is wrong with the installation, and that it is over: mails to superadmins, and the words of GET /alerts.
import type { AlertFigures, AlertKind, AlertPayload } from '../payload';
import {
  htmlTemplate,
  subjectOf,
  textTemplate,
  tongueOf,
  type Page,
  type RenderedNotice,
  type Tongue,
} from '../render';
import type { Told } from '../words/words';

const TEXT = textTemplate<ReturnType<typeof valuesOf>>(`{{hello}}

{{message}}

{{words.since}} {{openedAt}}
{{#if closedAt}}{{words.until}} {{closedAt}} ({{lasted}})
{{/if}}
{{words.link}}
{{link}}

{{words.why}}
`);

const HTML = htmlTemplate<ReturnType<typeof valuesOf>>(`<p>{{hello}}</p>
<p>{{#if closedAt}}{{message}}{{else}}<strong>{{message}}</strong>{{/if}}</p>
<p>{{words.since}} {{openedAt}}{{#if closedAt}}<br>{{words.until}} {{closedAt}} ({{lasted}}){{/if}}</p>
<p><a href="{{link}}">{{words.link}}</a></p>
<p style="color: #666"><small>{{words.why}}</small></p>`);

export function renderAlert(payload: AlertPayload, page: Page): RenderedNotice {
  const tongue = tongueOf(page.reader);
  const values = valuesOf(payload, page, tongue);
  return { subject: subjectOf(values.subject), text: TEXT(values), html: HTML(values) };
}

/** An alert in words, in a language and time zone. */
export function alertWords(kind: AlertKind, figures: AlertFigures, tongue: Tongue): { title: string; message: string } {
  const { amount, words } = tongue;
  const { waiting, undelivered, refused, oldestWaitSeconds, owedSince } = figures;
  const told: Told = {
    ...(waiting === undefined ? {} : { waiting: amount(waiting) }),
    ...(undelivered === undefined ? {} : { undelivered: amount(undelivered) }),
    ...(refused === undefined ? {} : { refused: amount(refused) }),
    ...(oldestWaitSeconds === undefined ? {} : { oldestWaitSeconds: tongue.duration(oldestWaitSeconds * 1000) }),
    ...(owedSince === undefined ? {} : { owedSince: tongue.time(owedSince) }),
  };
  return { title: words.alert.title[kind], message: words.alert.text[kind](told) };
}

function valuesOf(payload: AlertPayload, page: Page, tongue: Tongue) {
  const { words } = tongue;
  const { openedAt, closedAt } = payload;
  const { title, message } = alertWords(payload.alert, payload.figures, tongue);
  return {
    language: tongue.language,
    words: words.alert,
    subject: closedAt ? words.alert.recoveredSubject(title) : words.alert.subject(title),
    hello: words.hello(page.reader.name),
    message: closedAt ? words.alert.recovered(title) : message,
    openedAt: tongue.time(openedAt),
    closedAt: closedAt && tongue.time(closedAt),
    lasted: closedAt ? tongue.duration(Date.parse(closedAt) - Date.parse(openedAt)) : '',
    link: `${page.baseUrl}/admin`,
  };
}
