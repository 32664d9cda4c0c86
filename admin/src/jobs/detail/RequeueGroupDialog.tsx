// Asks before the rows that failed by one cause are run again.
import { Button, Code, Group, Modal, Stack, Text } from '@mantine/core';
import type { ErrorGroup, Job } from '../../api/types';
import { useFormats } from '../../format/useFormats';

interface Props {
  job: Job;
  group: ErrorGroup;
  isBusy: boolean;
  onClose(): void;
  onConfirm(): void;
}

export function RequeueGroupDialog({ job, group, isBusy, onClose, onConfirm }: Props) {
  const { number } = useFormats();
  const rows = `${number(group.count)} ${group.count === 1 ? 'row' : 'rows'}`;
  return (
    <Modal opened onClose={onClose} title={`Requeue ${rows}?`} centered closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack gap="sm">
        <Text size="sm" fw={600}>
          {job.title}
        </Text>
        <Text size="sm">
          Run {number(job.run + 1)} deals only with the rows that failed last with <Code>{group.code}</Code>, as they
          were sent in. All other rows, failed or not, stay as they are; this run keeps its counts, errors and log.
        </Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Leave them
          </Button>
          <Button onClick={onConfirm} loading={isBusy} data-autofocus>
            Requeue {rows}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
