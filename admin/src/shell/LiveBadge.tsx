// Whether data comes by itself: by the stream, or asked for every few seconds.
import { Group, Text, Tooltip } from '@mantine/core';
import { IconBolt, IconPlugConnectedX } from '@tabler/icons-react';
import { useLive } from '../live/LiveProvider';

export function LiveBadge() {
  const isLive = useLive();
  const Icon = isLive ? IconBolt : IconPlugConnectedX;
  const text = isLive
    ? 'Changes appear by themselves.'
    : 'The live connection is away; data is asked for every few seconds.';
  return (
    <Tooltip label={text}>
      <Group gap={4} wrap="nowrap" tabIndex={0} aria-label={text} visibleFrom="sm">
        <Icon size={15} aria-hidden color={isLive ? 'var(--mantine-color-teal-6)' : 'var(--mantine-color-orange-6)'} />
        <Text size="xs" c="dimmed">
          {isLive ? 'Live' : 'Polling'}
        </Text>
      </Group>
    </Tooltip>
  );
}
