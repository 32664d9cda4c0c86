// The dialog once the job is accepted: start time, options, live progress, cancel. Closing changes nothing about the job.
import { Anchor, Button, Group, Stack, Text } from '@mantine/core';
import { IconBan, IconDownload } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { Link } from 'react-router';
import { links } from '../../api/client';
import type { Job } from '../../api/types';
import { LiveDuration } from '../../format/LiveDuration';
import { TimeText } from '../../format/TimeText';
import { ErrorNote } from '../../shell/ErrorNote';
import { Facts } from '../../shell/Facts';
import { WaitingNote } from '../detail/WaitingNote';
import { whyNot } from '../jobActions';
import { JobProgress } from '../JobProgress';
import { processingTime } from '../ownTimes';
import { StateBadge } from '../StateBadge';
import { useJob } from '../useJob';
import { useJobAction } from '../useJobAction';

const ActionDialog = lazy(() => import('../ActionDialog').then((room) => ({ default: room.ActionDialog })));

interface Props {
  job: Job;
  onClose(): void;
}

export function StartedJob({ job: accepted, onClose }: Props) {
  const query = useJob(accepted.id);
  const job = query.data ?? accepted;
  const [isAsking, setAsking] = useState(false);
  const cancel = useJobAction(job, () => setAsking(false));
  const isOpen = job.group === 'unprocessed';
  const params = JSON.stringify(job.params ?? {});
  return (
    <Stack gap="md">
      <Group justify="space-between" gap="xs">
        <Text fw={600}>{job.title}</Text>
        <span role="status">
          <StateBadge state={job.state} phase={job.phase} large />
        </span>
      </Group>
      <JobProgress job={job} large />
      <WaitingNote job={job} />
      <Facts
        facts={[
          ['Started', <TimeText at={job.startedAt} full />],
          ['Processing', <LiveDuration {...processingTime(job)} />],
          ['Type', job.kind],
          ['Parameters', params === '{}' ? null : <code>{params}</code>],
          ['E-mail at the end', job.notify.email ? `to ${job.notify.to ?? job.owner.email}` : 'no'],
        ]}
      />
      {query.isError && <ErrorNote error={query.error} onRetry={() => void query.refetch()} />}
      {isOpen && (
        <Text size="xs" c="dimmed">
          You can close this dialog: the job goes on, and the bell in the header shows how far it is.
        </Text>
      )}
      <Group justify="space-between">
        <Group gap="md">
          <Anchor component={Link} to={`/jobs/${job.id}`} size="sm" onClick={onClose}>
            Open the job
          </Anchor>
          {job.errorCount > 0 && !isOpen && (
            <Anchor href={links.errors(job.id, 'csv', null)} download size="sm">
              <IconDownload size={13} aria-hidden /> Failed rows
            </Anchor>
          )}
        </Group>
        <Group gap="xs">
          {isOpen && (
            <Button
              variant="default"
              leftSection={<IconBan size={14} aria-hidden />}
              disabled={whyNot(job, 'cancel') !== null}
              title={whyNot(job, 'cancel') ?? undefined}
              onClick={() => setAsking(true)}
            >
              Cancel job
            </Button>
          )}
          <Button onClick={onClose}>Close</Button>
        </Group>
      </Group>
      {isAsking && (
        <Suspense fallback={null}>
          <ActionDialog
            job={job}
            action="cancel"
            isBusy={cancel.isPending}
            onClose={() => setAsking(false)}
            onConfirm={(request) => cancel.mutate(request)}
          />
        </Suspense>
      )}
    </Stack>
  );
}
