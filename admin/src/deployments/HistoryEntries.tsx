// The entries of one group: message, type of object, path, operation, date.
import { Button, Table, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { client } from '../api/client';
import { keys } from '../api/queryKeys';
import { TimeText } from '../format/TimeText';
import { ErrorNote } from '../shell/ErrorNote';
import { LoadingRows } from '../shell/LoadingRows';
import { LookBadge } from '../shell/LookBadge';
import { GROUP_LOOKS } from './deploymentLooks';

const COLUMNS = ['Message', 'Object type', 'Path', 'Operation', 'Date', 'State'];

export function HistoryEntries({ groupId }: { groupId: number }) {
  const entries = useInfiniteQuery({
    queryKey: keys.historyEntries(groupId),
    queryFn: ({ pageParam, signal }) => client.historyEntries(groupId, { cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
  if (entries.isPending) return <LoadingRows rows={2} />;
  if (entries.isError) return <ErrorNote error={entries.error} onRetry={() => void entries.refetch()} />;
  const items = entries.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <Text size="xs">This deployment has no entries.</Text>;
  return (
    <>
      <Table fz="xs" verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            {COLUMNS.map((column) => (
              <Table.Th key={column}>{column}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((entry, index) => (
            <Table.Tr key={index}>
              <Table.Td>{entry.message ?? '–'}</Table.Td>
              <Table.Td>{entry.objectType}</Table.Td>
              <Table.Td>{entry.path}</Table.Td>
              <Table.Td>{entry.operation}</Table.Td>
              <Table.Td>
                <TimeText at={entry.date} />
              </Table.Td>
              <Table.Td>{entry.state ? <LookBadge {...GROUP_LOOKS[entry.state]} /> : '–'}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {entries.hasNextPage && (
        <Button mt={6} size="compact-xs" variant="default" onClick={() => void entries.fetchNextPage()}>
          Load more entries
        </Button>
      )}
    </>
  );
}
