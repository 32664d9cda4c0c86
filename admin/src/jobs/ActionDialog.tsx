// Asks before something is done to one job: what it will do, why (cancel), and over which rows (requeue).
import { Button, Group, Modal, Radio, Stack, Text, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { Job } from '../api/types';
import { ACTION_WORDS, type UiAction } from './jobActions';
import { DoneStaysDone } from './DoneStaysDone';
import type { ActionRequest } from './useJobAction';

interface Props {
  job: Job;
  action: UiAction | null;
  isBusy: boolean;
  onClose(): void;
  onConfirm(request: ActionRequest): void;
}

const EFFECTS: Record<UiAction, string> = {
  cancel: 'Work in hand gets a few seconds to stop, the rest is not begun.',
  requeue: 'The job keeps its id and gets a new run. Earlier runs keep their counts, log and report.',
  pause: 'Parts under way are finished, then the job waits until it is resumed.',
  resume: 'The job goes on where it stopped.',
  delete: 'The job goes with its rows, errors, log and report. This cannot be undone.',
  approve: 'It runs exactly what was asked for: parameters and rows were frozen when it was requested.',
  reject: 'The job ends without having run. Its author is told, with your reason.',
  withdraw: 'The job ends without having run. Ask again whenever you like.',
  undo: 'A new job puts back what this one changed, row by row. Rows that were changed since are left alone and told.',
};

const ASKS_WHY: readonly UiAction[] = ['cancel', 'approve', 'reject', 'withdraw'];

type Scope = 'all' | 'failed' | 'unfinished';

export function ActionDialog({ job, action, isBusy, onClose, onConfirm }: Props) {
  const [reason, setReason] = useState('');
  const [scope, setScope] = useState<Scope>('all');
  if (action === null) return null;
  const { verb, danger } = ACTION_WORDS[action];
  const confirm = () => {
    const request: ActionRequest = { action };
    if (reason.trim() !== '') request.reason = reason.trim();
    if (scope !== 'all') request.only = scope;
    onConfirm(request);
  };
  return (
    <Modal opened onClose={onClose} title={`${verb} this job?`} centered closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack gap="sm">
        <Text size="sm" fw={600}>
          {job.title}
        </Text>
        <Text size="sm">{EFFECTS[action]}</Text>
        {action === 'cancel' && <DoneStaysDone job={job} />}
        {ASKS_WHY.includes(action) && (
          <Textarea
            label={action === 'reject' ? 'Reason (told to its author)' : 'Reason (kept in the timeline)'}
            required={action === 'reject'}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            maxLength={1000}
            autosize
            minRows={2}
            data-autofocus
          />
        )}
        {action === 'requeue' && job.progress.total !== null && (
          <Radio.Group label="Rows of the new run" value={scope} onChange={(value) => setScope(value as Scope)}>
            <Stack gap={6} mt={6}>
              <Radio value="all" label="All rows, from the start" />
              <Radio
                value="failed"
                label={`Failed rows only (${job.progress.failed})`}
                disabled={job.progress.failed === 0}
              />
              <Radio value="unfinished" label="Unfinished rows: not dealt with yet, or failed" />
            </Stack>
          </Radio.Group>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Leave it
          </Button>
          <Button
            color={danger ? 'red' : undefined}
            onClick={confirm}
            loading={isBusy}
            disabled={action === 'reject' && reason.trim() === ''}
          >
            {verb} job
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
