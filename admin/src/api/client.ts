// Every call the UI makes, named. Components reach the server through this file alone.
import { readKinds, type KindsAnswer } from './readKinds';
import { readNotifications, type NotificationsAnswer } from './readNotifications';
import { addressOf, request, send, type Query } from './request';
import type * as t from './types';
import { uploadJob } from './uploadJob';

type Signal = AbortSignal | undefined;
const at = (jobId: string, rest = ''): string => `/jobs/${encodeURIComponent(jobId)}${rest}`;

export type JobCommand = 'cancel' | 'requeue' | 'pause' | 'resume';
export type StateCounts = Partial<Record<t.JobState, { count: number; more: boolean }>>;

export const client = {
  me: (signal?: Signal) => request<t.Me>('GET', '/me', { signal }),
  signIn: (email: string, password: string) => request<unknown>('POST', '/session', { body: { email, password } }),
  signOut: () => request<void>('DELETE', '/session'),
  users: (signal?: Signal) => request<t.Page<t.Person>>('GET', '/users', { query: { limit: 100 }, signal }),

  jobs: (query: Query, signal?: Signal) => request<t.Page<t.Job>>('GET', '/jobs', { query, signal }),
  jobCounts: (query: Query, signal?: Signal) =>
    request<{ counts: StateCounts }>('GET', '/jobs/counts', { query, signal }),
  job: (id: string, signal?: Signal) => request<t.Job>('GET', at(id), { signal }),
  jobEvents: (id: string, cursor: string | null, signal?: Signal) =>
    request<t.Page<t.JobEvent>>('GET', at(id, '/events'), { query: { cursor }, signal }),
  jobRuns: (id: string, signal?: Signal) => request<t.Page<t.JobRun>>('GET', at(id, '/runs'), { signal }),
  jobErrors: (id: string, query: Query, signal?: Signal) =>
    request<t.Page<t.RowError>>('GET', at(id, '/errors'), { query, signal }),
  jobLog: (id: string, query: Query, signal?: Signal) => send('GET', at(id, '/log'), { query, signal }),
  jobCommand: (id: string, command: JobCommand, body: Record<string, unknown>) =>
    request<t.Job>('POST', at(id, `/${command}`), { body }),
  setNotify: (job: t.Job, email: boolean) => request<t.Job>('PATCH', at(job.id), { body: { notify: { email } } }),
  deleteJob: (id: string) => request<void>('DELETE', at(id)),
  startJob: (job: t.NewJob) => request<t.Job>('POST', '/jobs', { body: job }),
  uploadJob,
  jobKinds: async (signal?: Signal) => readKinds(await request<KindsAnswer>('GET', '/job-kinds', { signal })),

  notifications: async (signal?: Signal) =>
    readNotifications(await request<NotificationsAnswer>('GET', '/notifications', { signal })),
  markNotificationsRead: () => request<unknown>('POST', '/notifications/read'),

  history: (query: Query, signal?: Signal) =>
    request<t.Page<t.HistoryGroup>>('GET', '/deployment-history', { query, signal }),
  historyEntries: (id: number, query: Query, signal?: Signal) =>
    request<t.Page<t.HistoryEntry>>('GET', `/deployment-history/${id}/entries`, { query, signal }),
  deployment: (id: number, signal?: Signal) => request<t.Deployment>('GET', `/deployments/${id}`, { signal }),
  deploymentTargets: (id: number, signal?: Signal) =>
    request<t.Page<t.DeploymentTarget>>('GET', `/deployments/${id}/targets`, { signal }),
};

/** Addresses that the browser opens by itself: downloads. */
export const links = {
  errors: (jobId: string, format: 'csv' | 'ndjson', run: number | null) =>
    addressOf(at(jobId, `/errors.${format}`), { run }),
  log: (jobId: string, run: number | null) => addressOf(at(jobId, '/log'), { run }),
};

export const streamAddress = addressOf('/stream');
