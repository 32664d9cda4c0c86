// One part of a tab with its heading. Loaded and failing by itself, so that the rest of the tab stands.
import { Stack, Title } from '@mantine/core';
import { useId, type ReactNode } from 'react';

export function Section({ title, children }: { title: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <Stack gap={6} component="section" aria-labelledby={id}>
      <Title order={2} size="h6" id={id}>
        {title}
      </Title>
      {children}
    </Stack>
  );
}
