// One group of the history, closed (counts per type of object) or open (its entries).
import { ActionIcon, Anchor, Table } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import type { HistoryGroup } from '../api/types';
import { TimeText } from '../format/TimeText';
import { useFormats } from '../format/useFormats';
import { LookBadge } from '../shell/LookBadge';
import { GROUP_LOOKS } from './deploymentLooks';
import { HistoryEntries } from './HistoryEntries';

interface Props {
  group: HistoryGroup;
  columns: number;
}

export function HistoryRow({ group, columns }: Props) {
  const { number } = useFormats();
  const [isOpen, setOpen] = useState(false);
  const types = Object.entries(group.entries.byType).map(([type, count]) => `${number(count)} ${type}`);
  const path = [group.project, group.stage, group.scenario].flatMap((named) => (named ? [named.name] : [])).join(' / ');
  const Chevron = isOpen ? IconChevronDown : IconChevronRight;
  return (
    <>
      <Table.Tr>
        <Table.Td>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={24}
            onClick={() => setOpen(!isOpen)}
            aria-expanded={isOpen}
            aria-label={`Entries of deployment ${group.id}`}
          >
            <Chevron size={16} />
          </ActionIcon>
        </Table.Td>
        <Table.Td>
          <TimeText at={group.date} full />
        </Table.Td>
        <Table.Td>{group.account}</Table.Td>
        <Table.Td>
          <LookBadge {...GROUP_LOOKS[group.state]} />
        </Table.Td>
        <Table.Td>
          <Anchor component={Link} to={`/deployments/${group.id}`} size="xs">
            #{group.id}
            {path !== '' && ` · ${path}`}
          </Anchor>
        </Table.Td>
        <Table.Td>
          {number(group.entries.total)}
          {types.length > 0 && ` (${types.join(', ')})`}
        </Table.Td>
        <Table.Td>
          <Anchor component={Link} to={`/jobs/${group.jobId}`} size="xs">
            Job
          </Anchor>
        </Table.Td>
      </Table.Tr>
      {isOpen && (
        <Table.Tr>
          <Table.Td colSpan={columns} pl={52} bg="light-dark(#f8fafb, #26282c)">
            <HistoryEntries groupId={group.id} />
          </Table.Td>
        </Table.Tr>
      )}
    </>
  );
}
