// The filter of job lists, as it stands in the address: several values with commas, `-` before a value excludes it.
import { z } from 'zod';
import { JOB_STATES, type JobState } from './lifecycle';
import { isTimeZone, parseInstant } from '../lib/relativeTime';

export const SORTS = [
  'createdAt',
  '-createdAt',
  'finishedAt',
  '-finishedAt',
  'priority',
  '-priority',
  'owner',
  '-owner',
  'state',
  '-state',
  'kind',
  '-kind',
] as const;

const values = z.string().max(4000);

export const jobFilterQuery = {
  scope: z.enum(['mine', 'all']).optional(),
  group: z.enum(['all', 'processed', 'unprocessed']).default('all'),
  state: values.optional(),
  kind: values.optional(),
  owner: values.optional(),
  q: z.string().max(200).optional(),
  since: z.string().max(60).optional(),
  until: z.string().max(60).optional(),
  timeZone: z.string().max(60).refine(isTimeZone, 'takes an IANA time zone such as Europe/Berlin').optional(),
  /** Kinds that the caller hides (PUT /me/hidden-kinds); one named by `kind` is shown. */
  hidden: z.enum(['hide', 'show']).default('hide'),
};

export interface Sides<T> {
  include: T[];
  exclude: T[];
}

export function sides(text: string | undefined): Sides<string> {
  const parts = (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== '-');
  return {
    include: parts.filter((part) => !part.startsWith('-')),
    exclude: parts.filter((part) => part.startsWith('-')).map((part) => part.slice(1)),
  };
}

export interface Fault {
  path: string;
  message: string;
}

export function stateSides(text: string | undefined, faults: Fault[]): Sides<JobState> {
  const both = sides(text);
  for (const state of [...both.include, ...both.exclude]) {
    if (!(JOB_STATES as readonly string[]).includes(state)) {
      faults.push({ path: 'state', message: `"${state}" is no state; there are ${JOB_STATES.join(', ')}` });
    }
  }
  return both as Sides<JobState>;
}

export function instantOf(
  path: 'since' | 'until',
  text: string | undefined,
  timeZone: string | undefined,
  now: Date,
  faults: Fault[],
): Date | null {
  if (text === undefined) return null;
  const instant = parseInstant(text, timeZone, now);
  if (!instant) faults.push({ path, message: 'takes ISO 8601, `today`, or a relative time such as -10d, -1d2h or 0' });
  return instant;
}
