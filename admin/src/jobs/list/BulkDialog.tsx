// Asks before many jobs are acted on, with exact counts and what is left out and why; then shows how far it is and what
// went wrong. One call a job: each is refused or accepted by itself.
import { Button, Group, List, Modal, Progress, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { errorLine } from '../../api/errorText';
import { keys } from '../../api/queryKeys';
import type { Job } from '../../api/types';
import { ACTION_WORDS, whyNot, type UiAction } from '../jobActions';
import { actOn } from '../useJobAction';

interface Props {
  jobs: Job[];
  action: UiAction;
  onClose(): void;
  onDone(): void;
}

interface Outcome {
  done: number;
  failures: { title: string; text: string }[];
}

/** Calls on their way at once: quick, and far below the rate limit. */
const PARALLEL = 4;

function countBy(items: string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return [...counts];
}

export function BulkDialog({ jobs, action, onClose, onDone }: Props) {
  const cache = useQueryClient();
  // Frozen when the dialog opens: what was shown is what is done.
  const [frozen] = useState(() => ({
    reached: jobs.filter((job) => whyNot(job, action) === null),
    leftOut: countBy(jobs.map((job) => whyNot(job, action)).filter((reason) => reason !== null)),
  }));
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [isRunning, setRunning] = useState(false);
  const stopped = useRef(false);
  const { verb, past, danger } = ACTION_WORDS[action];
  const total = frozen.reached.length;

  const run = async () => {
    setRunning(true);
    stopped.current = false;
    const queue = [...frozen.reached];
    const result: Outcome = { done: 0, failures: [] };
    const take = async () => {
      for (let job = queue.shift(); job && !stopped.current; job = queue.shift()) {
        try {
          await actOn(job.id, { action });
          result.done += 1;
        } catch (error) {
          result.failures.push({ title: job.title, text: errorLine(error) });
        }
        setOutcome({ ...result });
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, take));
    setOutcome({ ...result });
    setRunning(false);
    await cache.invalidateQueries({ queryKey: keys.jobLists });
  };
  const close = () => {
    stopped.current = true;
    if (outcome) onDone();
    onClose();
  };
  const settled = outcome ? outcome.done + outcome.failures.length : 0;

  return (
    <Modal
      opened
      onClose={close}
      title={`${verb} ${total} ${total === 1 ? 'job' : 'jobs'}?`}
      centered
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack gap="sm">
        <Text size="sm">
          {total} of {jobs.length} selected {jobs.length === 1 ? 'job' : 'jobs'} will be {past}.
        </Text>
        {frozen.leftOut.length > 0 && (
          <List size="sm">
            {frozen.leftOut.map(([reason, count]) => (
              <List.Item key={reason}>
                {count} left as {count === 1 ? 'it is' : 'they are'}: {reason}
              </List.Item>
            ))}
          </List>
        )}
        {outcome && (
          <div role="status">
            <Progress value={(100 * settled) / total} aria-label="Jobs dealt with" />
            <Text size="sm" mt={6}>
              {outcome.done} of {total} {past}
              {outcome.failures.length > 0 ? `, ${outcome.failures.length} refused` : ''}.
            </Text>
            <List size="sm">
              {outcome.failures.map((failure, index) => (
                <List.Item key={index}>
                  {failure.title}: {failure.text}
                </List.Item>
              ))}
            </List>
          </div>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            {isRunning ? 'Stop here' : outcome ? 'Close' : 'Leave them'}
          </Button>
          {(!outcome || isRunning) && (
            <Button color={danger ? 'red' : undefined} onClick={() => void run()} loading={isRunning}>
              {verb} {total} {total === 1 ? 'job' : 'jobs'}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}
