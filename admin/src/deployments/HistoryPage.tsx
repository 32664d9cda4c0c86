// Deployment history: one row a group, its entries below when it is opened.
import { Button, Group, Paper, Stack, Table, Text, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { client } from '../api/client';
import { keys } from '../api/queryKeys';
import { QuickDates, readQuickDate, sinceOf } from '../format/QuickDates';
import { RefreshButton } from '../jobs/list/RefreshButton';
import { useLiveInterval } from '../live/LiveProvider';
import { useMe } from '../session/useMe';
import { EmptyNote } from '../shell/EmptyNote';
import { ErrorNote } from '../shell/ErrorNote';
import { LoadingRows } from '../shell/LoadingRows';
import { usePageTitle } from '../shell/usePageTitle';
import { HistoryRow } from './HistoryRow';

const PAGE_SIZE = 50;
const COLUMNS = ['Date', 'Account', 'State', 'Deployment', 'Entries', 'Job'];

export function HistoryPage() {
  usePageTitle('Deployment history');
  const [params, setParams] = useSearchParams();
  const date = readQuickDate(params.get('since'), 'today');
  const since = sinceOf(date, useMe().timeZone);
  const history = useInfiniteQuery({
    queryKey: [...keys.historyLists, 'list', date],
    queryFn: ({ pageParam, signal }) => client.history({ ...since, limit: PAGE_SIZE, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: useLiveInterval(),
  });
  const groups = history.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Title order={1} size="h3">
          Deployment history
        </Title>
        <Group gap="md">
          <QuickDates value={date} onChange={(next) => setParams({ since: next })} />
          <RefreshButton
            updatedAt={history.dataUpdatedAt}
            isBusy={history.isRefetching}
            onRefresh={() => void history.refetch()}
          />
        </Group>
      </Group>
      {history.isError && <ErrorNote error={history.error} onRetry={() => void history.refetch()} />}
      <Paper withBorder>
        {history.isPending && <LoadingRows />}
        {history.isSuccess && groups.length === 0 && date !== 'all' && (
          <EmptyNote title={date === 'today' ? 'Nothing was deployed today' : 'Nothing was deployed in this time'}>
            <Button size="xs" variant="default" onClick={() => setParams({ since: 'all' })}>
              Show all deployments
            </Button>
          </EmptyNote>
        )}
        {history.isSuccess && groups.length === 0 && date === 'all' && (
          <EmptyNote title="Nothing was deployed yet">
            <Text size="sm" c="dimmed" ta="center">
              Deployments of your projects appear here, whoever starts them. They outlive their job.
            </Text>
          </EmptyNote>
        )}
        {groups.length > 0 && (
          <Table.ScrollContainer minWidth={760}>
            <Table verticalSpacing={6} fz="xs">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th w={40} aria-label="Open" />
                  {COLUMNS.map((column) => (
                    <Table.Th key={column}>{column}</Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {groups.map((group) => (
                  <HistoryRow key={group.id} group={group} columns={COLUMNS.length + 1} />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Paper>
      {history.hasNextPage && (
        <Group justify="center">
          <Button
            size="xs"
            variant="default"
            loading={history.isFetchingNextPage}
            onClick={() => void history.fetchNextPage()}
          >
            Load older deployments
          </Button>
        </Group>
      )}
    </Stack>
  );
}
