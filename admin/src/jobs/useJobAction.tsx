// Does one thing to one job and puts the answer into the cache. Used by row menus, the job page and the start dialog.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { client } from '../api/client';
import { errorLine } from '../api/errorText';
import { keys } from '../api/queryKeys';
import type { Job } from '../api/types';
import { putJob } from '../live/applyChanges';
import { useToast } from '../shell/ToastProvider';
import { StartedNews } from './StartedNews';
import { ACTION_WORDS, type UiAction } from './jobActions';

export interface ActionRequest {
  action: UiAction;
  reason?: string;
  only?: 'failed' | 'unfinished';
  /** With only failed: those that failed with this code. */
  code?: string;
}

export async function actOn(jobId: string, { action, reason, only, code }: ActionRequest): Promise<Job | null> {
  switch (action) {
    case 'cancel':
      return client.cancelJob(jobId, reason ? { reason } : {});
    case 'requeue':
      return client.requeueJob(jobId, only ? { only, ...(code ? { code } : {}) } : {});
    case 'pause':
      return client.pauseJob(jobId);
    case 'resume':
      return client.resumeJob(jobId);
    case 'approve':
      return client.approveJob(jobId, reason ? { reason } : {});
    case 'reject':
      return client.rejectJob(jobId, { reason: reason ?? '' });
    case 'withdraw':
      return client.withdrawJob(jobId, reason ? { reason } : {});
    case 'undo':
      return client.undoJob(jobId);
    case 'delete':
      await client.deleteJob(jobId);
      return null;
  }
}

export function useJobAction(job: Pick<Job, 'id' | 'title'>, onDone?: (answer: Job | null) => void) {
  const cache = useQueryClient();
  const toast = useToast();
  return useMutation({
    mutationFn: (request: ActionRequest) => actOn(job.id, request),
    onSuccess: (answer, { action }) => {
      if (answer) putJob(cache, answer);
      const word = answer?.state === 'canceling' ? 'is being canceled' : `was ${ACTION_WORDS[action].past}`;
      const isOther = answer !== null && answer.id !== job.id;
      toast('good', isOther ? <StartedNews job={answer} /> : `“${job.title}” ${word}.`);
      void cache.invalidateQueries({ queryKey: keys.jobLists });
      void cache.invalidateQueries({ queryKey: keys.notifications });
      if (answer) void cache.invalidateQueries({ queryKey: keys.job(job.id) });
      onDone?.(answer);
    },
    onError: (error) => {
      toast('bad', `“${job.title}”: ${errorLine(error)}`);
      void cache.invalidateQueries({ queryKey: keys.job(job.id) });
    },
  });
}
