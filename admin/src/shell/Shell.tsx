// The frame around every page: brand, pages, start, live badge, bell, user.
import { Box, Button, Group } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { Suspense, type ReactNode } from 'react';
import { Link } from 'react-router';
import { useStartDialog } from '../jobs/start/StartDialogProvider';
import { NotificationBell } from '../notifications/NotificationBell';
import { Brand } from './Brand';
import { CrashBoundary } from './CrashBoundary';
import { LiveBadge } from './LiveBadge';
import { LoadingRows } from './LoadingRows';
import { NavLinks } from './NavLinks';
import classes from './Shell.module.css';
import { UserMenu } from './UserMenu';

export function Shell({ children }: { children: ReactNode }) {
  const openStart = useStartDialog();
  return (
    <>
      <a className={classes.skip} href="#main">
        To the content
      </a>
      <header className={classes.header}>
        <Group gap="xs" h="100%" wrap="nowrap">
          <Link to="/" className={classes.home} aria-label="Gantry, start page">
            <Brand />
          </Link>
          <NavLinks />
        </Group>
        <Group gap="sm" wrap="nowrap">
          <LiveBadge />
          <Button size="xs" onClick={() => openStart()} leftSection={<IconPlayerPlay size={15} aria-hidden />}>
            Start a job
          </Button>
          <NotificationBell />
          <UserMenu />
        </Group>
      </header>
      <Box component="main" id="main" tabIndex={-1} className={classes.main}>
        <CrashBoundary>
          <Suspense fallback={<LoadingRows rows={8} />}>{children}</Suspense>
        </CrashBoundary>
      </Box>
    </>
  );
}
