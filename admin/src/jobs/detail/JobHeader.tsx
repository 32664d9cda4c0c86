// Name, state, progress, times and the buttons of one job.
import { Anchor, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { Link } from 'react-router';
import type { Job } from '../../api/types';
import { LiveDuration } from '../../format/LiveDuration';
import { useMe } from '../../session/useMe';
import { CopyButton } from '../../shell/CopyButton';
import { JobProgress } from '../JobProgress';
import { processingTime, waitingTime } from '../ownTimes';
import { StateBadge } from '../StateBadge';
import { JobButtons } from './JobButtons';
import { UsualTime } from './UsualTime';
import { WaitingNote } from './WaitingNote';

interface Props {
  job: Job;
  onDeleted(): void;
}

export function JobHeader({ job, onDeleted }: Props) {
  const { role } = useMe();
  return (
    <Paper withBorder p="md">
      <Stack gap="sm">
        <Text size="xs">
          <Anchor component={Link} to={role === 'user' ? '/' : '/jobs'} size="xs">
            {role === 'user' ? 'My work' : 'Background jobs'}
          </Anchor>
        </Text>
        <Group justify="space-between" align="flex-start" gap="sm">
          <div>
            <Group gap="sm">
              <Title order={1} size="h3">
                {job.title}
              </Title>
              <span role="status">
                <StateBadge state={job.state} phase={job.phase} large />
              </span>
            </Group>
            <Group gap={4} mt={2}>
              <Text size="xs" c="dimmed">
                {job.kind} · {job.owner.name} · {job.id}
              </Text>
              <CopyButton text={job.id} what="id" />
            </Group>
          </div>
          <JobButtons job={job} onDeleted={onDeleted} />
        </Group>
        <JobProgress job={job} large />
        <Group gap="4px 32px">
          <Text size="sm">
            <Text span c="dimmed">
              Waiting{' '}
            </Text>
            <LiveDuration {...waitingTime(job)} />
          </Text>
          <Group gap="0 8px">
            <Text size="sm">
              <Text span c="dimmed">
                Processing{' '}
              </Text>
              <LiveDuration {...processingTime(job)} />
            </Text>
            <UsualTime job={job} />
          </Group>
          <Text size="sm">
            <Text span c="dimmed">
              Host{' '}
            </Text>
            {job.host ?? '–'}
          </Text>
        </Group>
        <WaitingNote job={job} />
      </Stack>
    </Paper>
  );
}
