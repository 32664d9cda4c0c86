// The calls of the job page and the start dialog: beside client.ts, since only code that is loaded later needs them.
import { answer, http } from './client';
import type { NewJob, Preview, Resubmission } from './types';
import { rowsTypeOf } from './uploadJob';

type Signal = AbortSignal | undefined;
type Paged = { cursor?: string | undefined; run?: number | undefined };

const of = (jobId: string) => ({ path: { jobId } });
const JOB = '/api/v1/jobs/{jobId}';

export const jobClient = {
  errorGroups: (id: string, run: number | undefined, signal?: Signal) =>
    answer(http.GET(`${JOB}/errors/groups`, { params: { ...of(id), query: { run } }, signal })),
  approval: (id: string, signal?: Signal) => answer(http.GET(`${JOB}/approval`, { params: of(id), signal })),
  attempts: (id: string, query: Paged, signal?: Signal) =>
    answer(http.GET(`${JOB}/attempts`, { params: { ...of(id), query }, signal })),
  notices: (id: string, query: Paged, signal?: Signal) =>
    answer(http.GET(`${JOB}/notices`, { params: { ...of(id), query }, signal })),
  report: (id: string, signal?: Signal) => answer(http.GET(`${JOB}/report`, { params: of(id), signal })),
  difference: (id: string, signal?: Signal) => answer(http.GET(`${JOB}/difference`, { params: of(id), signal })),
  /** The same key makes it once, however often a lost answer is asked for again. */
  resubmit: (id: string, body: Resubmission, key: string) =>
    answer(http.POST(`${JOB}/resubmit`, { params: { ...of(id), header: { 'Idempotency-Key': key } }, body })),
  /** Changes nothing: the server judges the first rows and forgets them. */
  preview: (job: NewJob, rows: File | null, signal?: Signal): Promise<Preview> =>
    answer(
      rows === null
        ? http.POST('/api/v1/jobs/preview', { body: job, signal })
        : http.POST('/api/v1/jobs/preview', {
            body: { job, rows: '' },
            bodySerializer: () => previewForm(job, rows),
            signal,
          }),
    ),
};

/** The job part goes first: the server reads in order. */
function previewForm(job: NewJob, rows: File): FormData {
  const form = new FormData();
  form.append('job', JSON.stringify(job));
  form.append('rows', rows.slice(0, rows.size, rowsTypeOf(rows.name) ?? 'text/csv'), rows.name);
  return form;
}
