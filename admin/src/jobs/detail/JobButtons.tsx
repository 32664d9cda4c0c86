// The buttons of one job, in the order of what one most likely wants. Grey ones say why.
import { Button, Group, Tooltip } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import type { Job } from '../../api/types';
import { ACTION_WORDS, isAllowed, whyNot, type UiAction } from '../jobActions';
import { ACTION_ICONS } from '../actionIcons';
import { useJobAction } from '../useJobAction';
import { ResubmitButton } from './ResubmitButton';

const ActionDialog = lazy(() => import('../ActionDialog').then((room) => ({ default: room.ActionDialog })));

interface Props {
  job: Job;
  onDeleted(): void;
}

function shownFor(job: Job): UiAction[] {
  const whereAllowed = (actions: UiAction[]) => actions.filter((action) => isAllowed(job, action));
  if (job.group === 'processed') return ['requeue', ...whereAllowed(['undo']), 'delete'];
  if (job.state === 'awaiting_approval') return whereAllowed(['approve', 'reject', 'withdraw', 'cancel']);
  return job.state === 'paused' ? ['resume', 'cancel'] : ['cancel', 'pause'];
}

export function JobButtons({ job, onDeleted }: Props) {
  const [action, setAction] = useState<UiAction | null>(null);
  const act = useJobAction(job, (answer) => {
    setAction(null);
    if (answer === null) onDeleted();
  });
  return (
    <Group gap="xs">
      {shownFor(job).map((each) => {
        const reason = whyNot(job, each);
        const Icon = ACTION_ICONS[each];
        return (
          <Tooltip key={each} label={reason ?? ''} disabled={reason === null}>
            <Button
              size="xs"
              variant={each === 'resume' || each === 'approve' ? 'filled' : 'default'}
              // Not `disabled`: a keyboard must reach it to hear why.
              data-disabled={reason !== null || undefined}
              aria-disabled={reason !== null}
              leftSection={<Icon size={14} aria-hidden />}
              onClick={() => reason === null && setAction(each)}
            >
              {ACTION_WORDS[each].verb}
            </Button>
          </Tooltip>
        );
      })}
      <ResubmitButton job={job} />
      {action && (
        <Suspense fallback={null}>
          <ActionDialog
            job={job}
            action={action}
            isBusy={act.isPending}
            onClose={() => setAction(null)}
            onConfirm={(request) => act.mutate(request)}
          />
        </Suspense>
      )}
    </Group>
  );
}
