// What the job was started with, as it was sent.
import { Code, Group, Stack, Text } from '@mantine/core';
import type { Job } from '../../api/types';
import { CopyButton } from '../../shell/CopyButton';

export function ParametersTab({ job }: { job: Job }) {
  if (job.params === undefined) {
    return (
      <Text size="sm" c="dimmed">
        The server does not show the parameters of this job.
      </Text>
    );
  }
  const text = JSON.stringify(job.params, null, 2);
  return (
    <Stack gap={4}>
      <Group justify="flex-end">
        <CopyButton text={text} what="parameters" />
      </Group>
      <Code block>{text}</Code>
    </Stack>
  );
}
