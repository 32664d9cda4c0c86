// What differs between a job and the one it derives from: parameters by their paths, rows, settings. Pure.
import type { InputFacts } from '../db/queries/copyInput';
import type { JobRow } from '../db/queries/jobs';

export interface Change {
  path: string;
  /** Left out where there was, or is, nothing. */
  before?: unknown;
  after?: unknown;
}

/** More are not listed; `more` says so. */
const MAX_CHANGES = 1000;

export function compareParams(before: string, after: string): { changes: Change[]; more: boolean } {
  if (before === after) return { changes: [], more: false };
  const changes: Change[] = [];
  compare('', JSON.parse(before), JSON.parse(after), changes);
  return { changes: changes.slice(0, MAX_CHANGES), more: changes.length > MAX_CHANGES };
}

function compare(path: string, before: unknown, after: unknown, changes: Change[]): void {
  if (changes.length > MAX_CHANGES) return;
  const [old, now] = [membersOf(before), membersOf(after)];
  if (!old || !now || Array.isArray(before) !== Array.isArray(after)) {
    if (JSON.stringify(before) !== JSON.stringify(after)) changes.push({ path, before, after });
    return;
  }
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    const at = path === '' ? name : `${path}.${name}`;
    if (!now.has(name)) changes.push({ path: at, before: old.get(name) });
    else if (!old.has(name)) changes.push({ path: at, after: now.get(name) });
    else compare(at, old.get(name), now.get(name), changes);
  }
}

function membersOf(value: unknown): Map<string, unknown> | null {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : null;
}

const SETTINGS = {
  title: (job: JobRow) => job.title,
  'notify.email': (job: JobRow) => job.notifyEmail,
  'notify.to': (job: JobRow) => job.notifyTo ?? job.ownerEmail,
  priority: (job: JobRow) => job.priority,
  runAt: (job: JobRow) => job.runAt?.toISOString() ?? null,
  trial: (job: JobRow) => job.trial,
  'limits.maxFailed': (job: JobRow) => job.maxFailed,
  'limits.maxFailedPercent': (job: JobRow) => job.maxFailedPercent,
  'limits.then': (job: JobRow) => job.limitThen,
};

export function compareSettings(before: JobRow, after: JobRow): Required<Change>[] {
  return Object.entries(SETTINGS)
    .map(([path, read]) => ({ path, before: read(before), after: read(after) }))
    .filter((change) => change.before !== change.after);
}

export function compareInput(before: InputFacts | null, after: InputFacts | null) {
  const sideOf = (facts: InputFacts | null) => ({
    total: facts?.rowTotal ?? null,
    sha256: facts?.sha256?.toString('hex') ?? null,
  });
  const [old, now] = [sideOf(before), sideOf(after)];
  return { isSame: old.total === now.total && old.sha256 === now.sha256, before: old, after: now };
}
