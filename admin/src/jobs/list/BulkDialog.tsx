// Asks before many jobs are acted on, with the server's counts and what is left out and why; then follows it. The set is
// frozen by the server, which also does it: closing the page stops nothing.
import { Button, Group, List, Modal, Stack, Switch, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { bulkClient, type BulkRequest } from '../../api/bulkClient';
import { newKey } from '../../api/newKey';
import { keys } from '../../api/queryKeys';
import type { Job } from '../../api/types';
import { useMe } from '../../session/useMe';
import { ErrorNote } from '../../shell/ErrorNote';
import { ACTION_WORDS, type SetAction } from '../jobActions';
import { BulkProgress } from './BulkProgress';
import { skipWords } from './bulkWords';
import { isFiltered, queryOf, type JobFilters } from './jobFilters';

interface Props {
  jobs: Job[];
  action: SetAction;
  filters: JobFilters;
  onClose(): void;
  onDone(): void;
}

const jobsOf = (count: number) => `${count} ${count === 1 ? 'job' : 'jobs'}`;

function requestOf({ jobs, action, filters }: Props, everything: boolean, timeZone: string): BulkRequest {
  if (!everything) return { action, ids: jobs.map((job) => job.id) };
  return { action, filter: queryOf(filters, timeZone), ...(isFiltered(filters) ? {} : { all: true as const }) };
}

export function BulkDialog(props: Props) {
  const { jobs, action, onClose, onDone } = props;
  const cache = useQueryClient();
  // Frozen when the dialog opens: rows that come and go meanwhile change nothing.
  const [opened] = useState(props);
  const [everything, setEverything] = useState(false);
  const [key] = useState(newKey);
  const request = requestOf(opened, everything, useMe().timeZone);
  const preview = useQuery({
    queryKey: ['bulk-preview', request],
    queryFn: ({ signal }) => bulkClient.preview(request, signal),
    staleTime: 0,
    retry: false,
  });
  const create = useMutation({
    mutationFn: () =>
      bulkClient.create(
        { ...request, expected: preview.data?.total },
        `${key}-${preview.data?.total ?? 0}-${everything}`,
      ),
    // The set is not what was shown any more: show what it is now.
    onError: () => void preview.refetch(),
  });
  const { verb, past, danger } = ACTION_WORDS[action];
  const counts = preview.data;
  const close = () => {
    if (create.data) {
      onDone();
      void cache.invalidateQueries({ queryKey: keys.jobLists });
    }
    onClose();
  };

  return (
    <Modal
      opened
      onClose={close}
      title={counts ? `${verb} ${jobsOf(counts.matched)}?` : verb}
      centered
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {create.data ? (
        <BulkProgress begun={create.data} past={past} onClose={close} />
      ) : (
        <Stack gap="sm">
          <Switch
            label="All jobs that match the filters, not only the selected ones"
            checked={everything}
            onChange={(event) => setEverything(event.currentTarget.checked)}
          />
          {preview.isError && <ErrorNote error={preview.error} onRetry={() => void preview.refetch()} />}
          {counts && (
            <Text size="sm">
              {counts.matched} of {everything ? jobsOf(counts.total) : `${jobsOf(jobs.length)} selected`} will be {past}
              .{action === 'delete' && counts.matched > 0 && ' It begins after ten seconds, in which it can be undone.'}
            </Text>
          )}
          {counts && counts.skipped > 0 && (
            <List size="sm">
              {Object.entries(counts.skippedBy).map(([reason, count]) => (
                <List.Item key={reason}>
                  {count} left out: {skipWords(reason)}
                </List.Item>
              ))}
            </List>
          )}
          {create.isError && <ErrorNote error={create.error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              Leave them
            </Button>
            <Button
              color={danger ? 'red' : undefined}
              disabled={!counts || counts.matched === 0 || preview.isFetching}
              loading={create.isPending}
              onClick={() => create.mutate()}
            >
              {verb} {counts ? jobsOf(counts.matched) : ''}
            </Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}
