// Nothing to show, said in one sentence with the way out.
import { Stack, Text } from '@mantine/core';
import { IconInbox } from '@tabler/icons-react';
import type { ReactNode } from 'react';

export function EmptyNote({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Stack align="center" gap={6} py={40} px="md">
      <IconInbox size={28} stroke={1.4} aria-hidden color="var(--mantine-color-dimmed)" />
      <Text fw={600} size="sm">
        {title}
      </Text>
      {children}
    </Stack>
  );
}
