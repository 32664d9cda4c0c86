// Own saved filters and shared ones, chosen by one click; saving and deleting have a dialog of their own.
import { Button, Menu, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconBookmark, IconChevronDown } from '@tabler/icons-react';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { errorLine } from '../../api/errorText';
import { ownClient } from '../../api/ownClient';
import { keys } from '../../api/queryKeys';
import type { JobFilters } from './jobFilters';
import { SavedFiltersDialog } from './SavedFiltersDialog';
import { addressOf, whyNotShown } from './savedFilterLink';

export function SavedFilterMenu({ filters }: { filters: JobFilters }) {
  const [isManaging, setManaging] = useState(false);
  const [, setParams] = useSearchParams();
  const saved = useQuery({ queryKey: keys.savedFilters, queryFn: ({ signal }) => ownClient.savedFilters(signal) });
  return (
    <>
      {/* Made when it is asked for, so open from the start. */}
      <Menu defaultOpened position="bottom-start" withinPortal width={260}>
        <Menu.Target>
          <Button
            size="xs"
            variant="default"
            fw={400}
            aria-label="Saved filters"
            autoFocus
            rightSection={<IconChevronDown size={14} aria-hidden />}
          >
            Saved
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {saved.isPending && <Menu.Label>Loading …</Menu.Label>}
          {saved.isError && (
            <Menu.Item closeMenuOnClick={false} onClick={() => void saved.refetch()}>
              Try again
              <Text size="xs" c="dimmed">
                {errorLine(saved.error)}
              </Text>
            </Menu.Item>
          )}
          {saved.data?.length === 0 && <Menu.Label>None yet. Choose filters, then save them here.</Menu.Label>}
          {saved.data?.map((filter) => {
            const reason = whyNotShown(filter);
            return (
              <Menu.Item
                key={filter.id}
                disabled={reason !== null}
                leftSection={<IconBookmark size={14} aria-hidden />}
                onClick={() => setParams(addressOf(filter))}
              >
                {filter.name}
                {(reason !== null || !filter.isOwn) && (
                  <Text size="xs" c="dimmed">
                    {reason ?? `shared by ${filter.owner.name}`}
                  </Text>
                )}
              </Menu.Item>
            );
          })}
          <Menu.Divider />
          <Menu.Item onClick={() => setManaging(true)}>Save or delete …</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {isManaging && (
        <SavedFiltersDialog filters={filters} saved={saved.data ?? []} onClose={() => setManaging(false)} />
      )}
    </>
  );
}
