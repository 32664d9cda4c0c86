// The names under which answers are cached. The stream (live/) makes them stale by these names.
import type { JobQuery } from './types';

export const keys = {
  me: ['me'] as const,
  users: ['users'] as const,
  kinds: ['job-kinds'] as const,
  jobLists: ['jobs'] as const,
  jobList: (query: JobQuery) => ['jobs', 'list', query] as const,
  jobCounts: (query: JobQuery) => ['jobs', 'counts', query] as const,
  job: (id: string) => ['job', id] as const,
  jobPart: (id: string, part: string, ...more: unknown[]) => ['job', id, part, ...more] as const,
  /** Parts that need not follow each step of progress: the stream leaves them, `more` says when they are read anew. */
  jobAside: (id: string, part: string, ...more: unknown[]) => ['job-aside', id, part, ...more] as const,
  savedFilters: ['saved-filters'] as const,
  notifications: ['notifications'] as const,
  historyLists: ['history'] as const,
  historyEntries: (id: number) => ['history', 'entries', id] as const,
  deployments: ['deployment'] as const,
  deployment: (id: number) => ['deployment', id] as const,
  deploymentPart: (id: number, part: string) => ['deployment', id, part] as const,
};
