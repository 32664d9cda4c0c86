// The news that a job was started, by a dialog or by an undo, with the way to it.
import { Anchor } from '@mantine/core';
import { Link } from 'react-router';
import type { Job } from '../api/types';

export function StartedNews({ job, onOpen }: { job: Job; onOpen?: () => void }) {
  return (
    <>
      “{job.title}” {job.state === 'awaiting_approval' ? 'waits for approval' : 'was started'}.{' '}
      <Anchor component={Link} to={`/jobs/${job.id}`} size="sm" onClick={onOpen}>
        Open it
      </Anchor>
    </>
  );
}
