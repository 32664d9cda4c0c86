// The start page of those who have no Background jobs page: start something, and follow what one started.
import { Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useStartDialog } from '../jobs/start/StartDialogProvider';
import { usePageTitle } from '../shell/usePageTitle';
import { NotedJobs } from './NotedJobs';
import { useNotifications } from './useNotifications';

export function HomePage() {
  usePageTitle('My work');
  const openStart = useStartDialog();
  const notes = useNotifications();
  return (
    <Stack gap="md" maw={720} mx="auto">
      <Group justify="space-between" align="flex-end">
        <div>
          <Title order={1} size="h3">
            My work
          </Title>
          <Text size="sm" c="dimmed">
            Jobs that you started and that go on, or ended a short while ago.
          </Text>
        </div>
        <Button onClick={() => openStart()}>Start a job</Button>
      </Group>
      <Paper withBorder>
        <NotedJobs query={notes} />
      </Paper>
    </Stack>
  );
}
