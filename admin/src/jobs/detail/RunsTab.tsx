// The runs of a job with the counts that each came to, and below who worked on it.
import { Stack, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { client } from '../../api/client';
import { keys } from '../../api/queryKeys';
import type { Job } from '../../api/types';
import { LiveDuration } from '../../format/LiveDuration';
import { TimeText } from '../../format/TimeText';
import { useFormats } from '../../format/useFormats';
import { ErrorNote } from '../../shell/ErrorNote';
import { LoadingRows } from '../../shell/LoadingRows';
import { StateBadge } from '../StateBadge';
import { Attempts } from './Attempts';

export function RunsTab({ job }: { job: Job }) {
  return (
    <Stack gap="lg">
      <Runs job={job} />
      <Attempts job={job} />
    </Stack>
  );
}

function Runs({ job }: { job: Job }) {
  const { number } = useFormats();
  const runs = useQuery({
    queryKey: keys.jobPart(job.id, 'runs', job.version),
    queryFn: ({ signal }) => client.jobRuns(job.id, signal),
    placeholderData: (previous) => previous,
  });
  if (runs.isPending) return <LoadingRows rows={3} />;
  if (runs.isError) return <ErrorNote error={runs.error} onRetry={() => void runs.refetch()} />;
  const figure = (value: number | null | undefined) => (typeof value === 'number' ? number(value) : '–');
  return (
    <Table.ScrollContainer minWidth={680}>
      <Table fz="xs" verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            {['Run', 'Outcome', 'Rows', 'Done', 'Failed', 'Skipped', 'Started', 'Ended', 'Processing', 'Host'].map(
              (name) => (
                <Table.Th key={name}>{name}</Table.Th>
              ),
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {runs.data.items.map((run) => {
            const { startedAt, finishedAt } = run;
            const state = run.outcome ?? (run.run === job.run ? job.state : null);
            const ms = startedAt && finishedAt ? Date.parse(finishedAt) - Date.parse(startedAt) : null;
            const isOpen = run.run === job.run && job.group === 'unprocessed';
            return (
              <Table.Tr key={run.run}>
                <Table.Td>{run.run}</Table.Td>
                <Table.Td>{state ? <StateBadge state={state} /> : '–'}</Table.Td>
                <Table.Td>{figure(run.total)}</Table.Td>
                <Table.Td>{figure(run.done)}</Table.Td>
                <Table.Td>{figure(run.failed)}</Table.Td>
                <Table.Td>{figure(run.skipped)}</Table.Td>
                <Table.Td>
                  <TimeText at={startedAt} />
                </Table.Td>
                <Table.Td>
                  <TimeText at={finishedAt} />
                </Table.Td>
                <Table.Td>
                  <LiveDuration ms={ms} since={isOpen ? startedAt : null} />
                </Table.Td>
                <Table.Td>{run.host ?? '–'}</Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
