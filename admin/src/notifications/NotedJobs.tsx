// The list of own running and just-ended jobs, in the bell and on the start page of those who have no jobs page.
import { Text } from '@mantine/core';
import { Link } from 'react-router';
import type { Notifications } from '../api/types';
import { LiveDuration } from '../format/LiveDuration';
import { TimeText } from '../format/TimeText';
import { JobProgress } from '../jobs/JobProgress';
import { processingTime } from '../jobs/ownTimes';
import { StateBadge } from '../jobs/StateBadge';
import { EmptyNote } from '../shell/EmptyNote';
import { ErrorNote } from '../shell/ErrorNote';
import { LoadingRows } from '../shell/LoadingRows';
import classes from './NotedJobs.module.css';

interface Props {
  query: { data: Notifications | undefined; error: unknown; isError: boolean };
  onOpen?: () => void;
}

export function NotedJobs({ query, onOpen }: Props) {
  if (query.data === undefined) return query.isError ? <ErrorNote error={query.error} /> : <LoadingRows rows={3} />;
  if (query.data.items.length === 0) {
    return (
      <EmptyNote title="Nothing going on">
        <Text size="xs" c="dimmed" ta="center">
          Jobs that you start appear here while they go on and for a while after.
        </Text>
      </EmptyNote>
    );
  }
  return (
    <ul className={classes.list}>
      {query.data.items.map((job) => (
        <li key={job.id} className={classes.job} data-unread={(job.group === 'processed' && !job.read) || undefined}>
          <div className={classes.line}>
            <Link to={`/jobs/${job.id}`} onClick={onOpen} className={classes.title} title={job.title}>
              {job.title}
            </Link>
            <StateBadge state={job.state} phase={job.phase} />
          </div>
          <JobProgress job={job} />
          <div className={classes.time}>
            {job.finishedAt ? (
              <>
                Ended <TimeText at={job.finishedAt} />, took <LiveDuration {...processingTime(job)} />
              </>
            ) : job.startedAt ? (
              <>
                Going on for <LiveDuration {...processingTime(job)} />
              </>
            ) : (
              <>
                Enqueued <TimeText at={job.queuedAt ?? job.createdAt} />
              </>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}
