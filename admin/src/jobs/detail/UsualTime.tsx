// Beside the processing time: what the kind's history says, and a warning when this run is far from it.
import { Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { Job } from '../../api/types';
import { formatDuration } from '../../format/formatDuration';
import { LookBadge } from '../../shell/LookBadge';

export function UsualTime({ job: { expectedMs, durationWarning } }: { job: Job }) {
  if (expectedMs === null) return null;
  return (
    <>
      <Text size="sm" c="dimmed" title="What the last runs of this kind that ended well took">
        usually {formatDuration(expectedMs)}
      </Text>
      {durationWarning && (
        <LookBadge
          word={durationWarning === 'longer' ? 'Longer than usual' : 'Shorter than usual'}
          color="orange"
          Icon={IconAlertTriangle}
        />
      )}
    </>
  );
}
