// What happened to the job, oldest first, with who and where.
import { Button, Text, Timeline as Line } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { client } from '../../api/client';
import { keys } from '../../api/queryKeys';
import type { JobEvent } from '../../api/types';
import { TimeText } from '../../format/TimeText';
import { ErrorNote } from '../../shell/ErrorNote';
import { LoadingRows } from '../../shell/LoadingRows';
import { JOB_STATES } from '../jobStates';

/** `prioritized` -> Prioritized; `state` in the data says more than the bare type. */
function headline(event: JobEvent): string {
  const words = event.type.replaceAll('_', ' ').replaceAll('.', ' ');
  const state = event.data?.state ?? event.data?.outcome;
  const looks = typeof state === 'string' ? JOB_STATES[state as keyof typeof JOB_STATES] : undefined;
  const base = words.charAt(0).toUpperCase() + words.slice(1);
  return looks ? `${base}: ${looks.word.toLowerCase()}` : base;
}

function details(event: JobEvent): string {
  const data = event.data ?? {};
  const parts: string[] = [];
  if (event.actor) parts.push(`by ${event.actor.name}`);
  for (const [name, value] of Object.entries(data)) {
    if (name === 'state' || name === 'outcome' || value === null || typeof value === 'object') continue;
    parts.push(`${name.replace(/([A-Z])/g, ' $1').toLowerCase()} ${String(value)}`);
  }
  if (event.run > 1) parts.push(`run ${event.run}`);
  return parts.join(' · ');
}

export function Timeline({ jobId, version }: { jobId: string; version: number }) {
  const events = useInfiniteQuery({
    queryKey: keys.jobPart(jobId, 'events', version),
    queryFn: ({ pageParam, signal }) => client.jobEvents(jobId, { cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: (previous) => previous,
  });
  if (events.isPending) return <LoadingRows rows={3} />;
  if (events.isError) return <ErrorNote error={events.error} onRetry={() => void events.refetch()} />;
  const items = events.data.pages.flatMap((page) => page.items);
  return (
    <>
      <Line bulletSize={12} lineWidth={2} active={items.length - 1}>
        {items.map((event) => (
          <Line.Item key={event.id} title={<Text size="sm">{headline(event)}</Text>}>
            <Text size="xs" c="dimmed">
              <TimeText at={event.at} />
              {details(event) !== '' && ` · ${details(event)}`}
            </Text>
          </Line.Item>
        ))}
      </Line>
      {events.hasNextPage && (
        <Button mt="sm" size="compact-xs" variant="default" onClick={() => void events.fetchNextPage()}>
          Show more
        </Button>
      )}
    </>
  );
}
