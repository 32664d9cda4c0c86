// The calls of commands on sets of jobs: beside client.ts, since only the dialog that is loaded later needs them.
import { answer, http } from './client';
import type { paths } from './generated/schema';

type Post = paths['/api/v1/bulk-actions']['post'];
export type BulkRequest = NonNullable<Post['requestBody']>['content']['application/json'];
export type BulkAction = Post['responses'][202]['content']['application/json'];
export type BulkPreview = Post['responses'][200]['content']['application/json'];
export type BulkResult =
  paths['/api/v1/bulk-actions/{bulkId}/results']['get']['responses'][200]['content']['application/json']['items'][number];

const of = (bulkId: string) => ({ path: { bulkId } });

export const bulkClient = {
  preview: async (body: BulkRequest, signal: AbortSignal) =>
    (await answer(http.POST('/api/v1/bulk-actions', { body: { ...body, dryRun: true }, signal }))) as BulkPreview,
  /** The same key makes it once, however often a lost answer is asked for again. */
  create: async (body: BulkRequest, key: string) =>
    (await answer(
      http.POST('/api/v1/bulk-actions', { body, params: { header: { 'Idempotency-Key': key } } }),
    )) as BulkAction,
  get: (id: string, signal?: AbortSignal) =>
    answer(http.GET('/api/v1/bulk-actions/{bulkId}', { params: of(id), signal })),
  abort: (id: string) => answer(http.POST('/api/v1/bulk-actions/{bulkId}/abort', { params: of(id), body: {} })),
  results: (id: string, result: 'skipped' | 'failed', signal?: AbortSignal) =>
    answer(
      http.GET('/api/v1/bulk-actions/{bulkId}/results', {
        params: { ...of(id), query: { result, limit: 20 } },
        signal,
      }),
    ),
};
