// The notification area: how many own jobs go on or have ended unseen, and the list of them. Opening it marks them as read.
import { ActionIcon, Group, Indicator, Popover, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { IconBell } from '@tabler/icons-react';
import { useState } from 'react';
import { client } from '../api/client';
import { keys } from '../api/queryKeys';
import classes from './NotedJobs.module.css';
import { NotedJobs } from './NotedJobs';
import { useNotifications } from './useNotifications';

export function NotificationBell() {
  const cache = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  const notes = useNotifications();
  const markRead = useMutation({
    mutationFn: client.markNotificationsRead,
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.notifications }),
  });
  const running = notes.data?.running ?? 0;
  const unread = notes.data?.unread ?? 0;
  const toggle = (next: boolean) => {
    setOpen(next);
    if (next && unread > 0) markRead.mutate();
  };
  const label = `Notifications: ${running} going on, ${unread} ended since you last looked`;
  return (
    <Popover
      opened={isOpen}
      onChange={toggle}
      position="bottom-end"
      width={400}
      shadow="md"
      trapFocus
      returnFocus
      withinPortal
    >
      <Indicator
        label={running + unread}
        size={16}
        disabled={running + unread === 0}
        color={unread > 0 ? 'red' : 'steel'}
        offset={5}
        inline
      >
        <Popover.Target>
          <ActionIcon variant="subtle" color="gray" size={32} onClick={() => toggle(!isOpen)} aria-label={label}>
            <IconBell size={19} />
          </ActionIcon>
        </Popover.Target>
      </Indicator>
      <Popover.Dropdown p={0} aria-label="Notifications">
        <Group justify="space-between" px="md" py={8}>
          <Text size="sm" fw={600}>
            My jobs
          </Text>
          <Text size="xs" c="dimmed">
            {running} going on
          </Text>
        </Group>
        <div className={classes.scroll}>
          <NotedJobs query={notes} onOpen={() => setOpen(false)} />
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
