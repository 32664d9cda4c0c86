// In one sentence: what the job waits for, or why it failed.
import { Alert } from '@mantine/core';
import { IconAlertTriangle, IconHourglassEmpty } from '@tabler/icons-react';
import type { Job } from '../../api/types';

function sentence(job: Job): string | null {
  if (job.group === 'processed') return null;
  switch (job.waitingFor) {
    case 'trial':
      return 'The trial rows are done. Look at their results, then resume for the rest or cancel.';
    case 'limit':
      return 'More rows failed than the limit allows. Look at the errors, then resume or cancel.';
    case null:
      break;
    default:
      return `Waiting for ${job.waitingFor}.`;
  }
  if (job.state === 'paused') return 'Paused by hand. It goes on when it is resumed.';
  if (job.state === 'queued') return 'Waiting for a free worker.';
  if (job.state === 'scheduled') return 'Its start time has not come yet.';
  if (job.state === 'awaiting_approval') return 'Somebody who may approve it has to decide.';
  return null;
}

export function WaitingNote({ job }: { job: Job }) {
  const text = sentence(job);
  if (text) {
    return (
      <Alert color="gray" variant="light" py={6} icon={<IconHourglassEmpty size={16} aria-hidden />}>
        {text}
      </Alert>
    );
  }
  if (!job.error) return null;
  return (
    <Alert color="red" variant="light" py={6} icon={<IconAlertTriangle size={16} aria-hidden />} title="Why it failed">
      {job.error.message} ({job.error.code})
    </Alert>
  );
}
