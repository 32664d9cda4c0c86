// The button that opens the saved filters. Their menu and dialog come when it is first used.
import { Button } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import type { JobFilters } from './jobFilters';

const SavedFilterMenu = lazy(() => import('./SavedFilterMenu').then((room) => ({ default: room.SavedFilterMenu })));

export function SavedFilters({ filters }: { filters: JobFilters }) {
  const [isWanted, setWanted] = useState(false);
  const button = (
    <Button
      size="xs"
      variant="default"
      fw={400}
      aria-label="Saved filters"
      rightSection={<IconChevronDown size={14} aria-hidden />}
      onClick={() => setWanted(true)}
    >
      Saved
    </Button>
  );
  if (!isWanted) return button;
  return (
    <Suspense fallback={button}>
      <SavedFilterMenu filters={filters} />
    </Suspense>
  );
}
