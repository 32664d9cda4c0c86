// A command on a set -> its document. Pure.
import type { z } from 'zod';
import type { BulkItemRow, BulkRow } from '../../db/queries/bulkActions';
import type { BulkRequest } from '../../jobs/bulk/judgeJob';
import type { bulkDoc } from '../contract/bulkActions';

export function presentBulk(row: BulkRow): z.infer<typeof bulkDoc> {
  const { succeeded, failed, skippedBy } = row.counts;
  const skipped = Object.values(skippedBy).reduce((sum, count) => sum + count, 0);
  const input = JSON.parse(row.input) as Omit<BulkRequest, 'action'>;
  return {
    id: row.id,
    action: row.action as BulkRequest['action'],
    state: row.state,
    total: row.total,
    done: succeeded + skipped + failed,
    succeeded,
    skipped,
    failed,
    skippedBy,
    only: input.only ?? null,
    code: input.code ?? null,
    priority: input.priority ?? null,
    reason: input.reason ?? null,
    selection: JSON.parse(row.selection) as Record<string, unknown>,
    createdAt: row.createdAt.toISOString(),
    startsAt: row.startsAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
    createdBy: { id: row.ownerId, name: row.ownerName, email: row.ownerEmail },
    abortedBecause: row.abortWhy,
    allowedActions: row.state === 'waiting' || row.state === 'running' ? ['abort'] : [],
  };
}

export function presentBulkItem(row: BulkItemRow) {
  const { jobId, title, seenState, result, code, message } = row;
  return { jobId, title, seenState, result, code, why: message };
}
