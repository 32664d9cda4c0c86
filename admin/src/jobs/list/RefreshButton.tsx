// Reads again now, and says how old what is shown is.
import { ActionIcon, Group, Text, Tooltip } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useFormats } from '../../format/useFormats';

interface Props {
  updatedAt: number;
  isBusy: boolean;
  onRefresh(): void;
}

export function RefreshButton({ updatedAt, isBusy, onRefresh }: Props) {
  const { time } = useFormats();
  return (
    <Group gap={6} wrap="nowrap">
      <Text size="xs" c="dimmed">
        {updatedAt > 0 ? `Last updated ${time(new Date(updatedAt).toISOString())}` : 'Not read yet'}
      </Text>
      <Tooltip label="Refresh">
        <ActionIcon variant="default" size={28} onClick={onRefresh} loading={isBusy} aria-label="Refresh">
          <IconRefresh size={15} />
        </ActionIcon>
      </Tooltip>
    </Group>
  );
}
