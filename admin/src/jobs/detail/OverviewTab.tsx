// The job's figures in words, its notice (which can be switched while it goes on), and what only some jobs have.
import { Anchor, Divider, Grid, Stack, Switch } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, type ReactNode } from 'react';
import { Link } from 'react-router';
import { client } from '../../api/client';
import { errorLine } from '../../api/errorText';
import type { Job } from '../../api/types';
import { TimeText } from '../../format/TimeText';
import { useFormats } from '../../format/useFormats';
import { putJob } from '../../live/applyChanges';
import { useMe } from '../../session/useMe';
import { Facts } from '../../shell/Facts';
import { LoadingRows } from '../../shell/LoadingRows';
import { useToast } from '../../shell/ToastProvider';
import { BoxScore } from './BoxScore';

const ApprovalFacts = lazy(() => import('./ApprovalFacts').then((room) => ({ default: room.ApprovalFacts })));
const DerivedFrom = lazy(() => import('./DerivedFrom').then((room) => ({ default: room.DerivedFrom })));
const Deliveries = lazy(() => import('./Deliveries').then((room) => ({ default: room.Deliveries })));
const ReportEntries = lazy(() => import('./ReportEntries').then((room) => ({ default: room.ReportEntries })));

function jobLink(id: string) {
  return (
    <Anchor component={Link} to={`/jobs/${id}`} size="sm">
      {id}
    </Anchor>
  );
}

/** A fact of few jobs is left out where there is none. */
const only = (name: string, value: ReactNode): [string, ReactNode][] => (value === null ? [] : [[name, value]]);

export function OverviewTab({ job }: { job: Job }) {
  const { number } = useFormats();
  const cache = useQueryClient();
  const toast = useToast();
  const me = useMe();
  // Who is only asked to decide sees the request, and not who is written to.
  const isOwn = me.id === job.owner.id || me.may.seeAllJobs;
  const notify = useMutation({
    mutationFn: (email: boolean) => client.setNotify(job.id, email),
    onSuccess: (answer) => putJob(cache, answer),
    onError: (error) => toast('bad', errorLine(error)),
  });
  return (
    <Stack gap="md">
      <BoxScore progress={job.progress} />
      <Divider />
      <Grid gap="md">
        <Grid.Col span={{ base: 12, sm: 6 }}>
          <Facts
            facts={[
              ['Created', <TimeText at={job.createdAt} full />],
              ['Enqueued', <TimeText at={job.queuedAt} full />],
              ['Started', <TimeText at={job.startedAt} full />],
              ['Ended', <TimeText at={job.finishedAt} full />],
              ['Kept until', <TimeText at={job.purgeAt} full />],
            ]}
          />
        </Grid.Col>
        <Grid.Col span={{ base: 12, sm: 6 }}>
          <Facts
            facts={[
              ['Author', `${job.owner.name} (${job.owner.email})`],
              ['Run', number(job.run)],
              ['Priority', number(job.priority)],
              ...only('Undo of', job.undoOf && jobLink(job.undoOf)),
              ...only('Taken back by', job.undoneBy && jobLink(job.undoneBy)),
              ...only('File', job.fileUrl && <Anchor href={job.fileUrl} download size="sm" children="Download" />),
              ...only(
                'Report',
                job.reportUrl && (
                  <Anchor href={job.reportUrl} target="_blank" rel="noopener" size="sm">
                    Open report
                  </Anchor>
                ),
              ),
            ]}
          />
        </Grid.Col>
      </Grid>
      <Switch
        size="sm"
        label={`E-mail to ${job.notify.to ?? job.owner.email} when it ends`}
        checked={job.notify.email}
        disabled={job.group === 'processed' || notify.isPending}
        onChange={(event) => notify.mutate(event.currentTarget.checked)}
      />
      {/* What only some jobs have comes when it is needed. */}
      <Suspense fallback={<LoadingRows rows={3} />}>
        {job.approval !== null && <ApprovalFacts job={job} />}
        {job.derivedFrom !== null && <DerivedFrom jobId={job.id} origin={job.derivedFrom} />}
        {job.reportSeverity !== null && <ReportEntries job={job} />}
        {isOwn && <Deliveries job={job} />}
      </Suspense>
    </Stack>
  );
}
