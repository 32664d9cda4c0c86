// In one sentence, as the server says it: what the job waits for, or why it failed.
import { Alert } from '@mantine/core';
import { IconAlertTriangle, IconHourglassEmpty } from '@tabler/icons-react';
import type { Job } from '../../api/types';

export function WaitingNote({ job }: { job: Job }) {
  if (job.waitingText !== null) {
    return (
      <Alert color="gray" variant="light" py={6} icon={<IconHourglassEmpty size={16} aria-hidden />}>
        {job.waitingText}
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
