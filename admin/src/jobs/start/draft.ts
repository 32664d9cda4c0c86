// What is typed into the start dialog, and the request that becomes of it: a new job, or one made from an old one. Pure.
import type { Job, JobKind, NewJob, Resubmission } from '../../api/types';
import { readCaution, type Caution } from './CautionFields';
import { fieldsOf, readParams, startValues, typedOf, type Typed } from './schemaFields';

export type RowScope = 'same' | 'failed' | 'unfinished';

export interface Draft {
  typed: Typed;
  title: string;
  wantsMail: boolean;
  caution: Caution;
  /** Resubmit: trial and limits stay those of the old job, which no document tells. */
  keepsCaution: boolean;
  scope: RowScope;
  rows: File | null;
}

export type Faults = Record<string, string>;

export function firstDraft(from: Job | null): Draft {
  return {
    typed: {},
    title: from?.title ?? '',
    wantsMail: from?.notify.email ?? true,
    caution: { trial: '', maxFailed: '' },
    keepsCaution: from !== null,
    scope: 'same',
    rows: null,
  };
}

/** What the fields show before anything is typed. */
export function firstValues(kind: JobKind, from: Job | null): Typed {
  const fields = fieldsOf(kind.paramsSchema);
  return from ? typedOf(fields, from.params) : startValues(fields);
}

export function readNewJob(kind: JobKind, draft: Draft): { job: NewJob; faults: Faults } {
  const { params, faults } = readParams(fieldsOf(kind.paramsSchema), { ...firstValues(kind, null), ...draft.typed });
  const { options, faults: careless } = readCaution(kind.takesRows ? draft.caution : { trial: '', maxFailed: '' });
  const job: NewJob = { kind: kind.kind, params, notify: { email: draft.wantsMail }, ...options };
  if (draft.title.trim() !== '') job.title = draft.title.trim();
  const missing: Faults = kind.takesRows && !draft.rows ? { rows: 'Choose a file of rows first.' } : {};
  return { job, faults: { ...faults, ...careless, ...missing } };
}

/** Only what differs: what is left out the server takes from the old job, byte for byte. */
export function readResubmission(kind: JobKind, from: Job, draft: Draft): { change: Resubmission; faults: Faults } {
  const fields = fieldsOf(kind.paramsSchema);
  const before = firstValues(kind, from);
  const { params, faults } = readParams(fields, { ...before, ...draft.typed });
  const change: Resubmission = {};
  const isChanged = Object.entries(draft.typed).some(([name, value]) => value !== before[name]);
  if (isChanged) change.params = { ...unshown(from.params, fields), ...params };
  const title = draft.title.trim();
  if (title !== '' && title !== from.title) change.title = title;
  if (draft.wantsMail !== from.notify.email) change.notify = { email: draft.wantsMail };
  if (!kind.takesRows) return { change, faults };
  if (draft.scope !== 'same') change.rows = draft.scope;
  if (draft.keepsCaution) return { change, faults };
  const { options, faults: careless } = readCaution(draft.caution);
  change.trial = options.trial ?? null;
  change.limits = options.limits ?? null;
  return { change, faults: { ...faults, ...careless } };
}

/** Parameters that the form has no field for. */
function unshown(params: unknown, fields: { name: string }[]): Record<string, unknown> {
  if (typeof params !== 'object' || params === null) return {};
  const shown = new Set(fields.map(({ name }) => name));
  return Object.fromEntries(Object.entries(params).filter(([name]) => !shown.has(name)));
}
