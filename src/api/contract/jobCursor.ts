// The cursor of the job list: the sort value of the last row, as it fits the sort, and its id.
import { z } from 'zod';
import type { JobSort, SortKey } from '../../db/queries/jobs';
import { JOB_STATES } from '../../jobs/lifecycle';
import { uuid } from './common';

/** Stands for a job without the time that is sorted by. */
const NO_TIME = 'none' as const;

const text = z.string().max(400);
const time = z.union([z.literal(NO_TIME), z.int()]);
const SHAPES = {
  createdAt: z.tuple([time, uuid]),
  finishedAt: z.tuple([time, uuid]),
  priority: z.tuple([z.int().min(-100).max(100), uuid]),
  owner: z.tuple([text, uuid]),
  state: z.tuple([z.enum(JOB_STATES), uuid]),
  kind: z.tuple([text, uuid]),
} satisfies Record<JobSort, z.ZodType<[string | number, string]>>;

export function jobCursor(sort: JobSort): z.ZodType<[string | number, string]> {
  return SHAPES[sort];
}

const hasTimes = (sort: JobSort): boolean => sort === 'createdAt' || sort === 'finishedAt';

export function cursorKey(row: { sortKey: SortKey; id: string }): [string | number, string] {
  return [row.sortKey ?? NO_TIME, row.id];
}

export function afterKey(sort: JobSort, cursor: [string | number, string] | null): { key: SortKey; id: string } | null {
  if (!cursor) return null;
  const [key, id] = cursor;
  return { key: key === NO_TIME && hasTimes(sort) ? null : key, id };
}
