// The failed rows: by cause, then one by one, and as file to mend and send again. The chosen cause stands in the address.
import { Button, Group, Stack, Table, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { IconDownload } from '@tabler/icons-react';
import { client, links } from '../../api/client';
import { keys } from '../../api/queryKeys';
import type { Job } from '../../api/types';
import { useFormats } from '../../format/useFormats';
import { EmptyNote } from '../../shell/EmptyNote';
import { ErrorNote } from '../../shell/ErrorNote';
import { LoadingRows } from '../../shell/LoadingRows';
import { ErrorGroups } from './ErrorGroups';
import classes from './ErrorsTab.module.css';
import { RunSelect } from './RunSelect';

interface Props {
  job: Job;
  run: number | null;
  code: string | null;
  onRun(run: number | null): void;
  onCode(code: string | null): void;
}

const PAGE_SIZE = 50;

export function ErrorsTab({ job, run, code, onRun, onCode }: Props) {
  const { number } = useFormats();
  const errors = useInfiniteQuery({
    // The count is part of the name, so that the list follows a job that goes on.
    queryKey: keys.jobPart(job.id, 'errors', run ?? job.run, code, run === null ? job.errorCount : null),
    queryFn: ({ pageParam, signal }) =>
      client.jobErrors(
        job.id,
        { run: run ?? undefined, code: code ?? undefined, limit: PAGE_SIZE, cursor: pageParam },
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: (previous) => previous,
  });
  const rows = errors.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Stack gap="sm">
      <ErrorGroups job={job} run={run} code={code} onCode={onCode} />
      <Group justify="space-between">
        <Text size="sm">
          {rows.length === 0
            ? 'No failed rows shown.'
            : `${number(rows.length)}${errors.hasNextPage ? '+' : ''} failed rows${code ? ` of ${code}` : ''}. Mend the file and send it again: the two last columns are left out by themselves.`}
        </Text>
        <Group gap="xs">
          <RunSelect latest={job.run} run={run} onRun={onRun} />
          {(['csv', 'ndjson'] as const).map((format) => (
            <Button
              key={format}
              component="a"
              href={links.errors(job.id, format, run, code)}
              download
              size="xs"
              variant="default"
              leftSection={<IconDownload size={14} aria-hidden />}
            >
              {format.toUpperCase()}
            </Button>
          ))}
        </Group>
      </Group>
      {errors.isPending && <LoadingRows />}
      {errors.isError && <ErrorNote error={errors.error} onRetry={() => void errors.refetch()} />}
      {errors.isSuccess && rows.length === 0 && <EmptyNote title="Nothing failed in this run" />}
      {rows.length > 0 && (
        <Table.ScrollContainer minWidth={600}>
          <Table fz="xs" verticalSpacing={4} highlightOnHover>
            <Table.Thead>
              <Table.Tr>
                <Table.Th className={classes.number} title="Counted from 0 over the whole input">
                  Row index
                </Table.Th>
                <Table.Th>Cause</Table.Th>
                <Table.Th>Message</Table.Th>
                <Table.Th>As sent in</Table.Th>
                <Table.Th className={classes.number}>Attempt</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((error) => (
                <Table.Tr key={`${error.rowIndex} ${error.attempt}`}>
                  <Table.Td className={classes.number}>{error.rowIndex}</Table.Td>
                  <Table.Td className={classes.code}>{error.code}</Table.Td>
                  <Table.Td>{error.message}</Table.Td>
                  <Table.Td className={classes.row} title={JSON.stringify(error.row, null, 1)}>
                    {JSON.stringify(error.row)}
                  </Table.Td>
                  <Table.Td className={classes.number}>{error.attempt}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {errors.hasNextPage && (
        <Group justify="center">
          <Button
            size="xs"
            variant="default"
            loading={errors.isFetchingNextPage}
            onClick={() => void errors.fetchNextPage()}
          >
            Load more
          </Button>
        </Group>
      )}
    </Stack>
  );
}
