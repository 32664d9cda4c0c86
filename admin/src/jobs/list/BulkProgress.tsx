// How far a command on a set is, what was left out and why, and the way back: undo before it begins, stop while it runs.
import { Button, Group, List, Progress, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { bulkClient, type BulkAction, type BulkResult } from '../../api/bulkClient';
import { keys } from '../../api/queryKeys';
import { serverNow } from '../../live/serverClock';
import { ErrorNote } from '../../shell/ErrorNote';

interface Props {
  begun: BulkAction;
  past: string;
  onClose(): void;
}

const LOOK_MS = 500;

export function BulkProgress({ begun, past, onClose }: Props) {
  const cache = useQueryClient();
  const queryKey = ['bulk-action', begun.id];
  const { data: bulk } = useQuery({
    queryKey,
    queryFn: ({ signal }) => bulkClient.get(begun.id, signal),
    initialData: begun,
    refetchInterval: ({ state }) => (state.data?.finishedAt ? false : LOOK_MS),
  });
  const abort = useMutation({
    mutationFn: () => bulkClient.abort(begun.id),
    onSuccess: (aborted) => cache.setQueryData(queryKey, aborted),
  });
  const hasEnded = bulk.finishedAt !== null;
  useEffect(() => {
    if (hasEnded) void cache.invalidateQueries({ queryKey: keys.jobLists });
  }, [hasEnded, cache]);
  const secondsLeft = Math.max(0, Math.ceil((Date.parse(bulk.startsAt) - serverNow()) / 1000));

  return (
    <Stack gap="sm">
      <div role="status">
        <Progress value={bulk.total === 0 ? 100 : (100 * bulk.done) / bulk.total} aria-label="Jobs dealt with" />
        <Text size="sm" mt={6}>
          {bulk.state === 'waiting' ? `Begins in ${secondsLeft} s. ` : ''}
          {bulk.succeeded} of {bulk.total} {past}
          {bulk.skipped > 0 ? `, ${bulk.skipped} left out` : ''}
          {bulk.failed > 0 ? `, ${bulk.failed} failed` : ''}
          {bulk.state === 'aborted' ? `; stopped, ${bulk.total - bulk.done} left as they were` : ''}.
          {bulk.abortedBecause ? ` ${bulk.abortedBecause}` : ''}
        </Text>
      </div>
      {hasEnded && bulk.skipped > 0 && <LeftOut id={bulk.id} result="skipped" count={bulk.skipped} />}
      {hasEnded && bulk.failed > 0 && <LeftOut id={bulk.id} result="failed" count={bulk.failed} />}
      {abort.isError && <ErrorNote error={abort.error} />}
      <Group justify="flex-end" gap="xs">
        {!hasEnded && (
          <Button variant="default" loading={abort.isPending} onClick={() => abort.mutate()}>
            {bulk.state === 'waiting' ? 'Undo' : 'Stop here'}
          </Button>
        )}
        <Button onClick={onClose}>{hasEnded ? 'Close' : 'Go on in the background'}</Button>
      </Group>
    </Stack>
  );
}

function LeftOut({ id, result, count }: { id: string; result: 'skipped' | 'failed'; count: number }) {
  const { data } = useQuery({
    queryKey: ['bulk-action', id, result],
    queryFn: ({ signal }) => bulkClient.results(id, result, signal),
  });
  if (!data) return null;
  return (
    <List size="sm">
      {data.items.map((item: BulkResult) => (
        <List.Item key={item.jobId}>
          {item.title ?? item.jobId}: {item.why}
        </List.Item>
      ))}
      {count > data.items.length && <List.Item>and {count - data.items.length} more</List.Item>}
    </List>
  );
}
