// The job's log, its end in sight while the job goes on.
import { Button, Checkbox, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconDownload } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { links } from '../../api/client';
import { keys } from '../../api/queryKeys';
import type { Job } from '../../api/types';
import { EmptyNote } from '../../shell/EmptyNote';
import { ErrorNote } from '../../shell/ErrorNote';
import { LoadingRows } from '../../shell/LoadingRows';
import classes from './LogTab.module.css';
import { readLog } from './readLog';
import { RunSelect } from './RunSelect';

interface Props {
  job: Job;
  run: number | null;
  onRun(run: number | null): void;
}

const POLL_MS = 3000;

export function LogTab({ job, run, onRun }: Props) {
  const frame = useRef<HTMLPreElement>(null);
  const [isFollowing, setFollowing] = useState(true);
  const isOpen = job.group === 'unprocessed';
  const log = useQuery({
    queryKey: keys.jobPart(job.id, 'log', run, isOpen),
    queryFn: ({ signal }) => readLog(job.id, run, signal),
    refetchInterval: isOpen && run === null ? POLL_MS : false,
    placeholderData: (previous) => previous,
  });
  useEffect(() => {
    if (isFollowing && frame.current) frame.current.scrollTop = frame.current.scrollHeight;
  }, [log.data, isFollowing]);

  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Checkbox
          size="xs"
          label="Follow the end"
          checked={isFollowing}
          onChange={(event) => setFollowing(event.currentTarget.checked)}
        />
        <Group gap="xs">
          <RunSelect latest={job.run} run={run} onRun={onRun} />
          <Button
            component="a"
            href={links.log(job.id, run)}
            download
            size="xs"
            variant="default"
            leftSection={<IconDownload size={14} aria-hidden />}
          >
            Whole log
          </Button>
        </Group>
      </Group>
      {log.isPending && <LoadingRows />}
      {log.isError && <ErrorNote error={log.error} onRetry={() => void log.refetch()} />}
      {log.data?.lines.length === 0 && (
        <EmptyNote title={isOpen ? 'The log is empty so far' : 'This run wrote no log'} />
      )}
      {log.data && log.data.lines.length > 0 && (
        <pre
          ref={frame}
          className={classes.log}
          tabIndex={0}
          aria-label="Log"
          onScroll={({ currentTarget: at }) => {
            // Scrolling up lets go of the end, scrolling back down takes hold again.
            setFollowing(at.scrollHeight - at.scrollTop - at.clientHeight < 24);
          }}
        >
          {log.data.lines.join('\n')}
        </pre>
      )}
      {log.data?.isCut && (
        <Text size="xs" c="dimmed">
          Only the beginning is shown; the download has all of it.
        </Text>
      )}
    </Stack>
  );
}
