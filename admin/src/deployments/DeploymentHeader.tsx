// What was deployed where, by whom, and how it stands.
import { Alert, Group, Stack, Title } from '@mantine/core';
import { IconAlertTriangle, IconHourglassEmpty } from '@tabler/icons-react';
import type { Deployment } from '../api/types';
import { LiveDuration } from '../format/LiveDuration';
import { TimeText } from '../format/TimeText';
import { Facts } from '../shell/Facts';
import { LookBadge } from '../shell/LookBadge';
import { GROUP_LOOKS, lookOf } from './deploymentLooks';

export function DeploymentHeader({ deployment }: { deployment: Deployment }) {
  const { project, stage, scenario, artifact, startedAt, endedAt, targets } = deployment;
  const ms = startedAt && endedAt ? Date.parse(endedAt) - Date.parse(startedAt) : null;
  return (
    <Stack gap="sm" mt={6}>
      <Group gap="sm">
        <Title order={1} size="h3">
          Deployment #{deployment.id}
        </Title>
        <Group gap="xs" role="status">
          <LookBadge {...GROUP_LOOKS[deployment.state]} large />
          <LookBadge {...lookOf(deployment.status)} note={deployment.phase} large />
        </Group>
      </Group>
      {deployment.waitingFor && endedAt === null && (
        <Alert color="gray" variant="light" py={6} icon={<IconHourglassEmpty size={16} aria-hidden />}>
          Waiting for {deployment.waitingFor}.
        </Alert>
      )}
      {deployment.error && (
        <Alert color="red" variant="light" py={6} icon={<IconAlertTriangle size={16} aria-hidden />}>
          {deployment.error}
        </Alert>
      )}
      <Group gap={60} align="flex-start">
        <Facts
          facts={[
            ['Project', project.name],
            ['Stage', `${stage.name} (${stage.type})`],
            ['Scenario', scenario.name],
            ['Artifact', `${artifact.name}, version ${artifact.version}`],
          ]}
        />
        <Facts
          facts={[
            ['Account', deployment.account],
            ['Created', <TimeText at={deployment.createdAt} full />],
            ['Ended', <TimeText at={endedAt} full />],
            ['Duration', <LiveDuration ms={ms} since={endedAt === null ? startedAt : null} />],
          ]}
        />
        <Facts
          facts={[
            ['Targets', `${targets.total}, ${targets.failed} failed`],
            ['Reason', deployment.reason],
          ]}
        />
      </Group>
    </Stack>
  );
}
