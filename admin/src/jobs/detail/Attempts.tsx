// Who worked on the job, and how each attempt ended: where a worker was lost or a process killed, it stands here.
import { Button, Table, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { jobClient } from '../../api/jobClient';
import { keys } from '../../api/queryKeys';
import type { Attempt, Job } from '../../api/types';
import { LiveDuration } from '../../format/LiveDuration';
import { TimeText } from '../../format/TimeText';
import { ErrorNote } from '../../shell/ErrorNote';
import { LoadingRows } from '../../shell/LoadingRows';
import { Section } from './Section';

const ENDS: Record<NonNullable<Attempt['ended']>, string> = {
  succeeded: 'Succeeded',
  completed_with_errors: 'With errors',
  failed: 'Failed',
  canceled: 'Canceled',
  timed_out: 'Took too long and was stopped',
  retry_later: 'Put off, to be tried again',
  handed_back: 'Handed back: the worker stopped in good order',
  worker_lost: 'The worker fell silent; another took over',
  process_lost: 'Its own process died',
  waiting: 'Waits for something',
};

/** A worker may be lost while the job stays as it is. */
const LOOK_MS = 5000;

export function Attempts({ job }: { job: Job }) {
  const attempts = useInfiniteQuery({
    queryKey: keys.jobAside(job.id, 'attempts', job.state, job.run),
    queryFn: ({ pageParam, signal }) => jobClient.attempts(job.id, { cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: (previous) => previous,
    refetchInterval: job.group === 'unprocessed' ? LOOK_MS : false,
  });
  const items = attempts.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Section title="Attempts">
      {attempts.isPending && <LoadingRows rows={3} />}
      {attempts.isError && <ErrorNote error={attempts.error} onRetry={() => void attempts.refetch()} />}
      {attempts.isSuccess && items.length === 0 && (
        <Text size="sm" c="dimmed">
          No worker has begun it yet.
        </Text>
      )}
      {items.length > 0 && (
        <Table.ScrollContainer minWidth={560}>
          <Table fz="xs" verticalSpacing={6}>
            <Table.Thead>
              <Table.Tr>
                {['Run', 'Attempt', 'Host', 'Started', 'Time', 'How it ended'].map((name) => (
                  <Table.Th key={name}>{name}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {items.map((attempt) => (
                <Row key={`${attempt.run} ${attempt.attempt} ${attempt.workerId}`} attempt={attempt} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {attempts.hasNextPage && (
        <div>
          <Button
            size="compact-xs"
            variant="default"
            loading={attempts.isFetchingNextPage}
            onClick={() => void attempts.fetchNextPage()}
          >
            Show more
          </Button>
        </div>
      )}
    </Section>
  );
}

function Row({ attempt }: { attempt: Attempt }) {
  const { run, attempt: count, workerId, host, startedAt, endedAt, ended, error } = attempt;
  return (
    <Table.Tr>
      <Table.Td>{run}</Table.Td>
      <Table.Td>{count}</Table.Td>
      <Table.Td title={`Worker ${workerId}`}>{host}</Table.Td>
      <Table.Td>
        <TimeText at={startedAt} />
      </Table.Td>
      <Table.Td>
        <LiveDuration ms={endedAt ? Date.parse(endedAt) - Date.parse(startedAt) : null} since={startedAt} />
      </Table.Td>
      <Table.Td>
        {ended ? ENDS[ended] : 'At work'}
        {error && (
          <Text size="xs" c="dimmed">
            {error.message}
            {error.code && ` (${error.code})`}
          </Text>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
