// The failed rows of a run by cause: each filters the list below, has its own file, and can be run again by itself.
import { Anchor, Button, Code, Group, Table, Text, VisuallyHidden } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconDownload, IconRefreshDot } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { links } from '../../api/client';
import { jobClient } from '../../api/jobClient';
import { keys } from '../../api/queryKeys';
import type { ErrorGroup, Job } from '../../api/types';
import { useFormats } from '../../format/useFormats';
import { ErrorNote } from '../../shell/ErrorNote';
import { isAllowed } from '../jobActions';
import { useJobAction } from '../useJobAction';
import classes from './ErrorsTab.module.css';

const RequeueGroupDialog = lazy(() =>
  import('./RequeueGroupDialog').then((room) => ({ default: room.RequeueGroupDialog })),
);

/** Counting many failed rows costs the database something: not with each of them. */
const LOOK_MS = 3000;

interface Props {
  job: Job;
  run: number | null;
  code: string | null;
  onCode(code: string | null): void;
}

export function ErrorGroups({ job, run, code, onCode }: Props) {
  const { number } = useFormats();
  const [asked, setAsked] = useState<ErrorGroup | null>(null);
  const requeue = useJobAction(job, () => {
    setAsked(null);
    onCode(null);
  });
  const groups = useQuery({
    queryKey: keys.jobAside(job.id, 'error-groups', run ?? job.run, job.state),
    queryFn: ({ signal }) => jobClient.errorGroups(job.id, run ?? undefined, signal),
    placeholderData: (previous) => previous,
    refetchInterval: job.group === 'unprocessed' && run === null ? LOOK_MS : false,
  });
  if (groups.isError) return <ErrorNote error={groups.error} onRetry={() => void groups.refetch()} />;
  const items = groups.data?.items ?? [];
  if (items.length === 0) return null;
  // What failed last is run again: an earlier run's causes say nothing about that.
  const mayRequeue = isAllowed(job, 'requeue') && (run === null || run === job.run);

  return (
    <>
      <Table fz="xs" verticalSpacing={4} aria-label="Failed rows by cause" className={classes.groups}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Cause</Table.Th>
            <Table.Th>For example</Table.Th>
            <Table.Th className={classes.number}>Rows</Table.Th>
            <Table.Th>
              <VisuallyHidden>What to do</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((group) => {
            const isShown = code === group.code;
            return (
              <Table.Tr key={group.code} data-shown={isShown || undefined}>
                <Table.Td className={classes.code}>
                  <Code>{group.code}</Code>
                </Table.Td>
                <Table.Td className={classes.example}>{group.message}</Table.Td>
                <Table.Td className={classes.number}>{number(group.count)}</Table.Td>
                <Table.Td>
                  <Group gap={6} className={classes.acts}>
                    <Button
                      size="compact-xs"
                      variant={isShown ? 'filled' : 'default'}
                      aria-pressed={isShown}
                      onClick={() => onCode(isShown ? null : group.code)}
                    >
                      {isShown ? 'Shown below' : 'Show only these'}
                    </Button>
                    {mayRequeue && (
                      <Button
                        size="compact-xs"
                        variant="default"
                        leftSection={<IconRefreshDot size={13} aria-hidden />}
                        onClick={() => setAsked(group)}
                      >
                        Requeue these
                      </Button>
                    )}
                    <Anchor
                      href={links.errors(job.id, 'csv', run, group.code)}
                      download
                      size="xs"
                      aria-label={`CSV of ${group.code}`}
                      className={classes.file}
                    >
                      <IconDownload size={13} aria-hidden /> CSV
                    </Anchor>
                  </Group>
                </Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
      {code !== null && !items.some((group) => group.code === code) && (
        <Text size="sm">
          No row of this run failed with <Code>{code}</Code>.{' '}
          <Anchor component="button" size="sm" onClick={() => onCode(null)}>
            Show all failed rows
          </Anchor>
        </Text>
      )}
      {asked && (
        <Suspense fallback={null}>
          <RequeueGroupDialog
            job={job}
            group={asked}
            isBusy={requeue.isPending}
            onClose={() => setAsked(null)}
            onConfirm={() => requeue.mutate({ action: 'requeue', only: 'failed', code: asked.code })}
          />
        </Suspense>
      )}
    </>
  );
}
