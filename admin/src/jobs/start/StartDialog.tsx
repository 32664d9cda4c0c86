// Starts a job and then shows how far it is. Closing the dialog leaves the job as it is; before the server has accepted
// the upload there is no job, so closing stops the upload and says so.
import { Modal } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { client } from '../../api/client';
import { errorLine, errorText, isStatus } from '../../api/errorText';
import { jobClient } from '../../api/jobClient';
import { newKey } from '../../api/newKey';
import { keys } from '../../api/queryKeys';
import type { Job, NewJob, Resubmission } from '../../api/types';
import { useToast } from '../../shell/ToastProvider';
import { StartedNews } from '../StartedNews';
import { StartedJob } from './StartedJob';
import { StartForm } from './StartForm';

interface Props {
  /** The old job that a new one is made from; null: a new job. */
  from: Job | null;
  onClose(): void;
}

function titleOf(started: Job | null, from: Job | null): string {
  if (started) return started.state === 'awaiting_approval' ? 'Approval asked for' : 'Job started';
  return from ? 'Edit and resubmit' : 'Start a job';
}

export function StartDialog({ from, onClose }: Props) {
  const cache = useQueryClient();
  const toast = useToast();
  const [started, setStarted] = useState<Job | null>(null);
  /** Share of the file that is on its way; null: nothing is sent. */
  const [upload, setUpload] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  /** What ends an upload; null: none is on its way. */
  const sending = useRef<AbortController | null>(null);
  const isClosed = useRef(false);

  const send = async (call: () => Promise<Job>) => {
    setError(null);
    setUpload(0);
    try {
      const answer = await call();
      cache.setQueryData(keys.job(answer.id), answer);
      setStarted(answer);
      toast('good', <StartedNews job={answer} onOpen={onClose} />);
      void cache.invalidateQueries({ queryKey: keys.jobLists });
      void cache.invalidateQueries({ queryKey: keys.notifications });
    } catch (failure) {
      if (sending.current?.signal.aborted) return;
      if (isClosed.current) toast('bad', errorLine(failure));
      else setError(failure);
    } finally {
      setUpload(null);
      sending.current = null;
    }
  };
  /** A lost answer is asked for again under the same key; another request has another one. */
  const once = useRef({ text: '', key: '' });

  const resubmit = (job: Job, change: Resubmission) => {
    const text = JSON.stringify(change);
    if (once.current.text !== text || once.current.key === '') once.current = { text, key: newKey() };
    return send(() => jobClient.resubmit(job.id, change, once.current.key));
  };
  const start = (job: NewJob, rows: File | null) => {
    if (!rows) return send(() => client.startJob(job));
    const { signal } = (sending.current = new AbortController());
    return send(() => client.uploadJob({ job, rows, signal, onProgress: setUpload }));
  };
  const close = () => {
    isClosed.current = true;
    if (sending.current) {
      sending.current.abort();
      toast('info', 'The upload was stopped. No job was started.');
    } else if (started) {
      const job = cache.getQueryData<Job>(keys.job(started.id)) ?? started;
      if (job.group === 'unprocessed') toast('info', `“${job.title}” goes on. Follow it in the notification area.`);
    }
    onClose();
  };

  return (
    <Modal
      opened
      onClose={close}
      title={titleOf(started, from)}
      size="lg"
      closeOnClickOutside={started !== null}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {started ? (
        <StartedJob job={started} onClose={close} />
      ) : (
        <StartForm
          from={from}
          upload={upload}
          error={error}
          // A fault of a parameter is shown beside its field too.
          faults={isStatus(error, 422) ? errorText(error).fields : []}
          onCancel={close}
          onStart={(job, rows) => void start(job, rows)}
          onResubmit={(job, change) => void resubmit(job, change)}
        />
      )}
    </Modal>
  );
}
