// Starts a job and then shows how far it is. Closing the dialog leaves the job as it is; before the server has accepted
// the upload there is no job, so closing stops the upload and says so.
import { Anchor, Modal } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { Link } from 'react-router';
import { client } from '../../api/client';
import { errorText, isStatus } from '../../api/errorText';
import { keys } from '../../api/queryKeys';
import type { Job, NewJob } from '../../api/types';
import { useToast } from '../../shell/ToastProvider';
import { StartedJob } from './StartedJob';
import { StartForm } from './StartForm';

interface Props {
  firstKind: string | null;
  onClose(): void;
}

export function StartDialog({ firstKind, onClose }: Props) {
  const cache = useQueryClient();
  const toast = useToast();
  const [started, setStarted] = useState<Job | null>(null);
  /** Share of the file that is on its way; null: nothing is sent. */
  const [upload, setUpload] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  const sending = useRef<AbortController | null>(null);

  const start = async (job: NewJob, rows: File | null) => {
    const ending = new AbortController();
    sending.current = ending;
    setError(null);
    setUpload(0);
    try {
      const answer = rows
        ? await client.uploadJob({ job, rows, signal: ending.signal, onProgress: setUpload })
        : await client.startJob(job);
      cache.setQueryData(keys.job(answer.id), answer);
      setStarted(answer);
      toast(
        'good',
        <>
          “{answer.title}” was started.{' '}
          <Anchor component={Link} to={`/jobs/${answer.id}`} size="sm" onClick={onClose}>
            Open it
          </Anchor>
        </>,
      );
      void cache.invalidateQueries({ queryKey: keys.jobLists });
      void cache.invalidateQueries({ queryKey: keys.notifications });
    } catch (failure) {
      if (ending.signal.aborted) return;
      setError(failure);
    } finally {
      setUpload(null);
      sending.current = null;
    }
  };
  const close = () => {
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
      title={started ? 'Job started' : 'Start a job'}
      size="lg"
      closeOnClickOutside={started !== null}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {started ? (
        <StartedJob job={started} onClose={close} />
      ) : (
        <StartForm
          firstKind={firstKind}
          upload={upload}
          error={error}
          // A fault of a parameter is shown beside its field too.
          faults={isStatus(error, 422) ? errorText(error).fields : []}
          onCancel={close}
          onStart={(job, rows) => void start(job, rows)}
        />
      )}
    </Modal>
  );
}
