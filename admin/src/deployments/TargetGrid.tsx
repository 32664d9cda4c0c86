// Targets against steps: one row a target, one column a step, each cell with word, time and error.
import { Group, Table, Text } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import type { DeploymentTarget, TargetStep } from '../api/types';
import { LiveDuration } from '../format/LiveDuration';
import { EmptyNote } from '../shell/EmptyNote';
import { LookBadge } from '../shell/LookBadge';
import { lookOf } from './deploymentLooks';
import classes from './TargetGrid.module.css';

/** The order of SourceDeploy; whatever else a kind of stage has comes after, in the order it appears. */
const FIRST_STEPS = ['pre', 'deploy', 'post'];

function columnsOf(targets: DeploymentTarget[]): string[] {
  const names = new Set(FIRST_STEPS);
  for (const target of targets) for (const step of target.steps) names.add(step.step);
  return [...names];
}

function StepCell({ step }: { step: TargetStep | undefined }) {
  if (!step) return <span className={classes.none}>not begun</span>;
  const ms = step.startedAt && step.endedAt ? Date.parse(step.endedAt) - Date.parse(step.startedAt) : null;
  return (
    <>
      <LookBadge {...lookOf(step.status)} />
      <span className={classes.time}>
        <LiveDuration ms={ms} since={step.endedAt === null ? step.startedAt : null} />
      </span>
      {step.error && <div className={classes.error}>{step.error}</div>}
    </>
  );
}

export function TargetGrid({ targets }: { targets: DeploymentTarget[] }) {
  if (targets.length === 0) return <EmptyNote title="No targets: the job has not looked for them yet" />;
  const columns = columnsOf(targets);
  return (
    <Table.ScrollContainer minWidth={640}>
      <Table fz="xs" verticalSpacing={6} withColumnBorders>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Target</Table.Th>
            <Table.Th>Status</Table.Th>
            {columns.map((column) => (
              <Table.Th key={column} tt="capitalize">
                {column}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {targets.map((target) => (
            <Table.Tr key={target.id}>
              <Table.Td>
                <Text size="sm" fw={550}>
                  {target.agent.name}
                </Text>
                {!target.agent.connected && (
                  <Group gap={4} c="dimmed">
                    <IconPlugConnectedX size={13} aria-hidden />
                    agent is away
                  </Group>
                )}
              </Table.Td>
              <Table.Td>
                <LookBadge {...lookOf(target.status)} />
                {(target.error ?? target.cause) && <div className={classes.error}>{target.error ?? target.cause}</div>}
              </Table.Td>
              {columns.map((column) => (
                <Table.Td key={column}>
                  <StepCell step={target.steps.find((step) => step.step === column)} />
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
