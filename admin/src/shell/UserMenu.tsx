// Who one is, the theme, the way to the settings, and the way out.
import { Button, Menu, Text } from '@mantine/core';
import { useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import {
  IconCheck,
  IconChevronDown,
  IconDeviceDesktop,
  IconLogout,
  IconMoon,
  IconSettings,
  IconSun,
} from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { errorLine } from '../api/errorText';
import type { Role } from '../api/types';
import { useMe, useSignOut } from '../session/useMe';
import { useToast } from './ToastProvider';

const SettingsDialog = lazy(() => import('./SettingsDialog').then((room) => ({ default: room.SettingsDialog })));

const ROLES: Record<Role, string> = { user: 'User', power_user: 'Power user', superadmin: 'Superadmin' };
const THEMES: { value: MantineColorScheme; label: string; Icon: typeof IconSun }[] = [
  { value: 'light', label: 'Light', Icon: IconSun },
  { value: 'dark', label: 'Dark', Icon: IconMoon },
  { value: 'auto', label: 'As the system', Icon: IconDeviceDesktop },
];

export function UserMenu() {
  const me = useMe();
  const signOut = useSignOut();
  const toast = useToast();
  const [isSetting, setSetting] = useState(false);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const leave = () => signOut().catch((error: unknown) => toast('bad', errorLine(error)));
  return (
    <>
      <Menu position="bottom-end" width={230} withinPortal>
        <Menu.Target>
          <Button
            variant="subtle"
            color="gray"
            size="compact-sm"
            rightSection={<IconChevronDown size={14} aria-hidden />}
          >
            {me.name}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            <Text size="xs" truncate>
              {me.email}
            </Text>
            <Text size="xs">{ROLES[me.role]}</Text>
          </Menu.Label>
          <Menu.Divider />
          <Menu.Label>Theme</Menu.Label>
          {THEMES.map(({ value, label, Icon }) => (
            <Menu.Item
              key={value}
              leftSection={<Icon size={15} aria-hidden />}
              rightSection={colorScheme === value ? <IconCheck size={14} aria-label="chosen" /> : null}
              onClick={() => setColorScheme(value)}
            >
              {label}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item leftSection={<IconSettings size={15} aria-hidden />} onClick={() => setSetting(true)}>
            Settings …
          </Menu.Item>
          {me.role === 'superadmin' && (
            <Menu.Item component="a" href="/admin/queues">
              Queues (bull-board)
            </Menu.Item>
          )}
          <Menu.Item component="a" href="/api/docs">
            API documentation
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item leftSection={<IconLogout size={15} aria-hidden />} onClick={() => void leave()}>
            Sign out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {isSetting && (
        <Suspense fallback={null}>
          <SettingsDialog onClose={() => setSetting(false)} />
        </Suspense>
      )}
    </>
  );
}
