// Every call the UI makes, named and checked against the generated contract. Components reach the server through this file
// alone; a refused call throws ApiError, an unreachable server TypeError.
import createClient from 'openapi-fetch';
import { noteServerTime } from '../live/serverClock';
import { apiErrorOf } from './apiError';
import type { paths } from './generated/schema';
import type { JobKind, JobQuery, NewJob } from './types';
import { uploadJob } from './uploadJob';

type Signal = AbortSignal | undefined;
type Paged = { cursor?: string | undefined; limit?: number; run?: number | undefined; code?: string | undefined };

export const http = createClient<paths>({ credentials: 'same-origin', headers: { accept: 'application/json' } });

export async function answer<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  noteServerTime(response.headers.get('date'));
  if (!response.ok) throw apiErrorOf(response.status, error, response.headers.get('retry-after'));
  return data as T;
}

const of = (jobId: string) => ({ path: { jobId } });

export const client = {
  me: (signal?: Signal) => answer(http.GET('/api/v1/me', { signal })),
  signIn: (email: string, password: string) => answer(http.POST('/api/v1/session', { body: { email, password } })),
  signInMethods: (signal?: Signal) => answer(http.GET('/api/v1/auth/methods', { signal })),
  signOut: () => answer(http.DELETE('/api/v1/session')),
  users: (signal?: Signal) => answer(http.GET('/api/v1/users', { params: { query: { limit: 100 } }, signal })),

  jobs: (query: JobQuery, signal?: Signal) => answer(http.GET('/api/v1/jobs', { params: { query }, signal })),
  jobCounts: (query: JobQuery, signal?: Signal) =>
    answer(http.GET('/api/v1/jobs/counts', { params: { query }, signal })),
  job: (id: string, signal?: Signal) => answer(http.GET('/api/v1/jobs/{jobId}', { params: of(id), signal })),
  jobEvents: (id: string, query: Paged, signal?: Signal) =>
    answer(http.GET('/api/v1/jobs/{jobId}/events', { params: { ...of(id), query }, signal })),
  jobRuns: (id: string, signal?: Signal) => answer(http.GET('/api/v1/jobs/{jobId}/runs', { params: of(id), signal })),
  jobErrors: (id: string, query: Paged, signal?: Signal) =>
    answer(http.GET('/api/v1/jobs/{jobId}/errors', { params: { ...of(id), query }, signal })),
  jobLog: (id: string, run: number | undefined, signal?: Signal) =>
    answer(http.GET('/api/v1/jobs/{jobId}/log', { params: { ...of(id), query: { run } }, parseAs: 'stream', signal })),
  cancelJob: (id: string, body: { reason?: string }) =>
    answer(http.POST('/api/v1/jobs/{jobId}/cancel', { params: of(id), body })),
  requeueJob: (id: string, body: { only?: 'failed' | 'unfinished'; code?: string }) =>
    answer(http.POST('/api/v1/jobs/{jobId}/requeue', { params: of(id), body })),
  pauseJob: (id: string) => answer(http.POST('/api/v1/jobs/{jobId}/pause', { params: of(id), body: {} })),
  resumeJob: (id: string) => answer(http.POST('/api/v1/jobs/{jobId}/resume', { params: of(id), body: {} })),
  approveJob: (id: string, body: { reason?: string }) =>
    answer(http.POST('/api/v1/jobs/{jobId}/approve', { params: of(id), body })),
  rejectJob: (id: string, body: { reason: string }) =>
    answer(http.POST('/api/v1/jobs/{jobId}/reject', { params: of(id), body })),
  withdrawJob: (id: string, body: { reason?: string }) =>
    answer(http.POST('/api/v1/jobs/{jobId}/withdraw', { params: of(id), body })),
  undoJob: (id: string) => answer(http.POST('/api/v1/jobs/{jobId}/undo', { params: of(id), body: {} })),
  deleteJob: (id: string) => answer(http.DELETE('/api/v1/jobs/{jobId}', { params: of(id) })),
  setNotify: (id: string, email: boolean) =>
    answer(http.PATCH('/api/v1/jobs/{jobId}', { params: of(id), body: { notify: { email } } })),
  startJob: (body: NewJob) => answer(http.POST('/api/v1/jobs', { body })),
  uploadJob,
  jobKinds: async (signal?: Signal) => {
    const page = await answer(http.GET('/api/v1/job-kinds', { params: { query: { limit: 100 } }, signal }));
    return page.items as JobKind[];
  },

  notifications: (signal?: Signal) => answer(http.GET('/api/v1/notifications', { signal })),
  markNotificationsRead: () => answer(http.POST('/api/v1/notifications/read', { body: {} })),

  history: (query: Paged & { since?: string; timeZone?: string }, signal?: Signal) =>
    answer(http.GET('/api/v1/deployment-history', { params: { query }, signal })),
  historyEntries: (deploymentId: number, query: Paged, signal?: Signal) =>
    answer(
      http.GET('/api/v1/deployment-history/{deploymentId}/entries', {
        params: { path: { deploymentId }, query },
        signal,
      }),
    ),
  deployment: (deploymentId: number, signal?: Signal) =>
    answer(http.GET('/api/v1/deployments/{deploymentId}', { params: { path: { deploymentId } }, signal })),
  deploymentTargets: (deploymentId: number, signal?: Signal) =>
    answer(http.GET('/api/v1/deployments/{deploymentId}/targets', { params: { path: { deploymentId } }, signal })),
};

/** Addresses that the browser opens by itself: downloads and the stream. */
function jobAddress(id: string, rest: string, run: number | null, code?: string | null): string {
  const query = new URLSearchParams({ ...(run ? { run: String(run) } : {}), ...(code ? { code } : {}) }).toString();
  return `/api/v1/jobs/${encodeURIComponent(id)}/${rest}${query === '' ? '' : `?${query}`}`;
}
export const links = {
  errors: (id: string, format: 'csv' | 'ndjson', run: number | null, code?: string | null) =>
    jobAddress(id, `errors.${format}`, run, code),
  log: (id: string, run: number | null) => jobAddress(id, 'log', run),
};
export const streamAddress = '/api/v1/stream';
