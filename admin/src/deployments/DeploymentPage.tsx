// One deployment: what went where, how far each target is, and the job behind it while that is kept.
import { Anchor, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { client } from '../api/client';
import { isStatus } from '../api/errorText';
import { keys } from '../api/queryKeys';
import { JobButtons } from '../jobs/detail/JobButtons';
import { useJob } from '../jobs/useJob';
import { useLiveInterval } from '../live/LiveProvider';
import { ErrorNote } from '../shell/ErrorNote';
import { LoadingRows } from '../shell/LoadingRows';
import { NotFoundPage } from '../shell/NotFoundPage';
import { usePageTitle } from '../shell/usePageTitle';
import { DeploymentHeader } from './DeploymentHeader';
import { TargetGrid } from './TargetGrid';

export function DeploymentPage() {
  const id = Number(useParams().deploymentId);
  const isId = Number.isSafeInteger(id) && id > 0;
  usePageTitle(`Deployment ${isId ? id : ''}`);
  const interval = useLiveInterval();
  const deployment = useQuery({
    queryKey: keys.deployment(id),
    queryFn: ({ signal }) => client.deployment(id, signal),
    enabled: isId,
    refetchInterval: interval,
  });
  const targets = useQuery({
    queryKey: keys.deploymentPart(id, 'targets'),
    queryFn: ({ signal }) => client.deploymentTargets(id, signal),
    enabled: isId,
    refetchInterval: interval,
  });
  // The job may be gone or somebody else's: then there are simply no buttons.
  const jobId = deployment.data?.jobId;
  const job = useJob(jobId ?? '', jobId !== undefined);

  if (!isId || isStatus(deployment.error, 404)) return <NotFoundPage what="This deployment" />;
  if (deployment.data === undefined) {
    return deployment.isError ? (
      <ErrorNote error={deployment.error} onRetry={() => void deployment.refetch()} />
    ) : (
      <LoadingRows />
    );
  }
  return (
    <Stack gap="md">
      <Paper withBorder p="md">
        <Group justify="space-between">
          <Text size="xs">
            <Anchor component={Link} to="/deployments" size="xs">
              Deployment history
            </Anchor>
          </Text>
          {job.data && !job.isError && (
            <Group gap="xs">
              <Anchor component={Link} to={`/jobs/${job.data.id}`} size="sm">
                Log and timeline
              </Anchor>
              <JobButtons job={job.data} onDeleted={() => void deployment.refetch()} />
            </Group>
          )}
        </Group>
        <DeploymentHeader deployment={deployment.data} />
      </Paper>
      <Paper withBorder p="md">
        <Title order={2} size="h5" mb="sm">
          Targets
        </Title>
        {targets.isPending && <LoadingRows rows={3} />}
        {targets.isError && <ErrorNote error={targets.error} onRetry={() => void targets.refetch()} />}
        {targets.data && <TargetGrid targets={targets.data.items} />}
      </Paper>
    </Stack>
  );
}
