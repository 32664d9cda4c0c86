// The actions on one row; what is not allowed stays visible and says why.
import { ActionIcon, Menu, Text } from '@mantine/core';
import { IconDotsVertical, IconExternalLink } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { Link } from 'react-router';
import type { Job } from '../../api/types';
import { ACTION_ICONS } from '../actionIcons';
import { ACTION_WORDS, isAllowed, whyNot, type UiAction } from '../jobActions';
import classes from './RowMenu.module.css';
import { useJobAction } from '../useJobAction';

const ActionDialog = lazy(() => import('../ActionDialog').then((room) => ({ default: room.ActionDialog })));

const ALWAYS: UiAction[] = ['cancel', 'requeue', 'pause', 'resume', 'delete'];
const WHERE_ALLOWED: UiAction[] = ['approve', 'reject', 'withdraw', 'undo'];

export function RowMenu({ job }: { job: Job }) {
  const [action, setAction] = useState<UiAction | null>(null);
  const act = useJobAction(job, () => setAction(null));
  return (
    <>
      <Menu position="bottom-end" withinPortal width={240} classNames={{ item: classes.item }}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size={26} aria-label={`Actions for ${job.title}`}>
            <IconDotsVertical size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component={Link} to={`/jobs/${job.id}`} leftSection={<IconExternalLink size={15} aria-hidden />}>
            Open
          </Menu.Item>
          <Menu.Divider />
          {[...WHERE_ALLOWED.filter((each) => isAllowed(job, each)), ...ALWAYS].map((each) => {
            const reason = whyNot(job, each);
            const Icon = ACTION_ICONS[each];
            return (
              <Menu.Item
                key={each}
                disabled={reason !== null}
                leftSection={<Icon size={15} aria-hidden />}
                data-danger={ACTION_WORDS[each].danger || undefined}
                onClick={() => setAction(each)}
              >
                {ACTION_WORDS[each].verb}
                {reason !== null && (
                  <Text size="xs" component="span" display="block" c="dimmed">
                    {reason}
                  </Text>
                )}
              </Menu.Item>
            );
          })}
        </Menu.Dropdown>
      </Menu>
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
    </>
  );
}
