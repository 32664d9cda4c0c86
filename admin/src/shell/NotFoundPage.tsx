// For an address that leads nowhere and for a job that is not there or not the caller's; the server does not tell which.
import { Button, Stack, Text, Title } from '@mantine/core';
import { Link } from 'react-router';
import { usePageTitle } from './usePageTitle';

export function NotFoundPage({ what = 'This page' }: { what?: string }) {
  usePageTitle('Not found');
  return (
    <Stack align="center" gap="xs" py={80}>
      <Title order={1} size="h3">
        Not found
      </Title>
      <Text size="sm" c="dimmed" ta="center">
        {what} does not exist, is no longer kept, or is not yours to see.
      </Text>
      <Button component={Link} to="/" variant="default" size="xs" mt="xs">
        To the start page
      </Button>
    </Stack>
  );
}
