// Background jobs: tabs for superadmins, filters, the live list, actions on selected rows.
import { Button, Group, Paper, Stack, Tabs, Text, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { keys } from '../../api/queryKeys';
import { useMe } from '../../session/useMe';
import { EmptyNote } from '../../shell/EmptyNote';
import { ErrorNote } from '../../shell/ErrorNote';
import { LoadingRows } from '../../shell/LoadingRows';
import { usePageTitle } from '../../shell/usePageTitle';
import { useStartDialog } from '../start/StartDialogProvider';
import type { Job } from '../../api/types';
import type { SetAction } from '../jobActions';
import { FilterBar } from './FilterBar';
import { isFiltered, NO_FILTERS, useJobFilters } from './jobFilters';
import { JobsTable } from './JobsTable';
import { RefreshButton } from './RefreshButton';
import { SelectionBar } from './SelectionBar';
import { useJobList } from './useJobList';

const BulkDialog = lazy(() => import('./BulkDialog').then((room) => ({ default: room.BulkDialog })));

export function JobsPage() {
  const { role } = useMe();
  const cache = useQueryClient();
  const openStart = useStartDialog();
  const [filters, change] = useJobFilters();
  const { list, jobs } = useJobList(filters);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  // Held here and not in the bar: the bar goes when the rows it acts on do.
  const [bulk, setBulk] = useState<{ action: SetAction; jobs: Job[] } | null>(null);
  usePageTitle('Background jobs');
  // What is no longer shown is not acted on.
  const chosen = jobs.filter((job) => selected.has(job.id));
  const refresh = () => void cache.invalidateQueries({ queryKey: keys.jobLists });

  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Title order={1} size="h3">
          Background jobs
        </Title>
        <RefreshButton updatedAt={list.dataUpdatedAt} isBusy={list.isRefetching} onRefresh={refresh} />
      </Group>
      {role === 'superadmin' && (
        <Tabs
          value={filters.scope}
          onChange={(scope) => change({ scope: scope === 'mine' ? 'mine' : 'all', owner: '' })}
        >
          <Tabs.List>
            <Tabs.Tab value="all">All jobs</Tabs.Tab>
            <Tabs.Tab value="mine">My jobs</Tabs.Tab>
          </Tabs.List>
        </Tabs>
      )}
      <FilterBar filters={filters} onChange={change} />
      {list.isError && <ErrorNote error={list.error} onRetry={() => void list.refetch()} />}
      {chosen.length > 0 && (
        <SelectionBar
          jobs={chosen}
          onAction={(action) => setBulk({ action, jobs: chosen })}
          onClear={() => setSelected(new Set())}
        />
      )}
      {bulk && (
        <Suspense fallback={null}>
          <BulkDialog {...bulk} filters={filters} onClose={() => setBulk(null)} onDone={() => setSelected(new Set())} />
        </Suspense>
      )}
      <Paper withBorder>
        {list.isPending && <LoadingRows rows={10} />}
        {jobs.length > 0 && <JobsTable jobs={jobs} selected={selected} onSelect={setSelected} />}
        {list.isSuccess && jobs.length === 0 && !isFiltered(filters) && (
          <EmptyNote title="No jobs yet">
            <Text size="sm" c="dimmed">
              What is started here or sent to the API appears by itself.
            </Text>
            <Button size="xs" onClick={() => openStart()}>
              Start a job
            </Button>
          </EmptyNote>
        )}
        {list.isSuccess && jobs.length === 0 && isFiltered(filters) && (
          <EmptyNote title="No job matches these filters">
            <Button size="xs" variant="default" onClick={() => change({ ...NO_FILTERS, states: [] })}>
              Clear filters
            </Button>
          </EmptyNote>
        )}
      </Paper>
      <Group justify="center">
        {list.hasNextPage && (
          <Button
            size="xs"
            variant="default"
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            Load older jobs
          </Button>
        )}
        {jobs.length > 0 && !list.hasNextPage && (
          <Text size="xs" c="dimmed">
            {jobs.length} {jobs.length === 1 ? 'job' : 'jobs'}, all shown
          </Text>
        )}
      </Group>
    </Stack>
  );
}
