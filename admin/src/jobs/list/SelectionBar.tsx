// What can be done to the selected rows, with the number each action would reach.
import { Button, Group, Paper, Text } from '@mantine/core';
import type { Job } from '../../api/types';
import { ACTION_WORDS, isAllowed, type SetAction } from '../jobActions';
import { ACTION_ICONS } from '../actionIcons';

const ACTIONS: SetAction[] = ['cancel', 'requeue', 'delete'];

interface Props {
  jobs: Job[];
  onAction(action: SetAction): void;
  onClear(): void;
}

export function SelectionBar({ jobs, onAction, onClear }: Props) {
  return (
    <Paper withBorder px="sm" py={6} role="region" aria-label="Selected jobs">
      <Group gap="xs">
        <Text size="sm" fw={600}>
          {jobs.length} selected
        </Text>
        {ACTIONS.map((each) => {
          const count = jobs.filter((job) => isAllowed(job, each)).length;
          const Icon = ACTION_ICONS[each];
          return (
            <Button
              key={each}
              size="compact-sm"
              variant="default"
              disabled={count === 0}
              title={count === 0 ? `None of the selected jobs can be ${ACTION_WORDS[each].past} now.` : undefined}
              leftSection={<Icon size={14} aria-hidden />}
              onClick={() => onAction(each)}
            >
              {ACTION_WORDS[each].verb} ({count})
            </Button>
          );
        })}
        <Button size="compact-sm" variant="subtle" color="gray" onClick={onClear}>
          Clear selection
        </Button>
      </Group>
    </Paper>
  );
}
