// Which states are shown: any number of them, each with how many jobs it has.
import { Button, Group, Menu, Text } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import type { JobCounts, JobState } from '../../api/types';
import { useFormats } from '../../format/useFormats';
import { JOB_STATES, STATE_NAMES } from '../jobStates';

interface Props {
  chosen: JobState[];
  counts: JobCounts | undefined;
  onChange(states: JobState[]): void;
}

export function StateFilter({ chosen, counts, onChange }: Props) {
  const { number } = useFormats();
  const words = chosen.map((state) => JOB_STATES[state].word).join(', ');
  const toggle = (state: JobState, on: boolean) =>
    onChange(on ? [...chosen, state] : chosen.filter((each) => each !== state));
  return (
    <Menu closeOnItemClick={false} position="bottom-start" withinPortal width={230}>
      <Menu.Target>
        <Button
          size="xs"
          variant="default"
          fw={400}
          maw={260}
          rightSection={<IconChevronDown size={14} aria-hidden />}
          aria-label={`State: ${words || 'any'}`}
        >
          {words || 'Any state'}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {STATE_NAMES.map((state) => {
          const { word, Icon } = JOB_STATES[state];
          const count = counts?.[state];
          return (
            <Menu.CheckboxItem key={state} checked={chosen.includes(state)} onChange={(on) => toggle(state, on)}>
              <Group justify="space-between" wrap="nowrap" gap="xs">
                <Group gap={6} wrap="nowrap">
                  <Icon size={14} aria-hidden />
                  {word}
                </Group>
                <Text size="xs" c="dimmed" span>
                  {count ? `${number(count.count)}${count.more ? '+' : ''}` : ''}
                </Text>
              </Group>
            </Menu.CheckboxItem>
          );
        })}
        <Menu.Divider />
        <Menu.Item onClick={() => onChange([])} disabled={chosen.length === 0} closeMenuOnClick>
          Any state
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
