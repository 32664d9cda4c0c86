// Status group, state, type, author and search above the list.
import { Button, Group, SegmentedControl, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { QuickDates } from '../../format/QuickDates';
import { client } from '../../api/client';
import { keys } from '../../api/queryKeys';
import { isFiltered, NO_FILTERS, type JobFilters } from './jobFilters';
import { SavedFilters } from './SavedFilters';
import { SearchField } from './SearchField';
import { StateFilter } from './StateFilter';
import { useStateCounts } from './useJobList';

interface Props {
  filters: JobFilters;
  onChange(change: Partial<JobFilters>): void;
}

const GROUPS = [
  { value: 'all', label: 'All' },
  { value: 'unprocessed', label: 'Unprocessed' },
  { value: 'processed', label: 'Processed' },
];

/** An option for what the address names, even when the list does not have it. */
function withChosen(options: { value: string; label: string }[], chosen: string) {
  return chosen === '' || options.some((option) => option.value === chosen)
    ? options
    : [...options, { value: chosen, label: chosen }];
}

export function FilterBar({ filters, onChange }: Props) {
  const counts = useStateCounts(filters).data?.counts;
  const kinds = useQuery({ queryKey: keys.kinds, queryFn: ({ signal }) => client.jobKinds(signal), staleTime: 60_000 });
  const users = useQuery({
    queryKey: keys.users,
    queryFn: ({ signal }) => client.users(signal),
    enabled: filters.scope === 'all',
    staleTime: 60_000,
  });
  const kindOptions = (kinds.data ?? []).map((kind) => ({ value: kind.kind, label: kind.title }));
  const userOptions = (users.data?.items ?? []).map((user) => ({
    value: user.email,
    label: `${user.name} (${user.email})`,
  }));
  return (
    <Group gap="xs" role="search" aria-label="Filter jobs">
      <SegmentedControl
        size="xs"
        data={GROUPS}
        value={filters.group}
        onChange={(group) => onChange({ group: group as JobFilters['group'] })}
        aria-label="Status group"
      />
      <QuickDates value={filters.date} onChange={(date) => onChange({ date })} />
      <StateFilter chosen={filters.states} counts={counts} onChange={(states) => onChange({ states })} />
      <Select
        size="xs"
        w={170}
        data={withChosen(kindOptions, filters.kind)}
        value={filters.kind || null}
        onChange={(kind) => onChange({ kind: kind ?? '' })}
        placeholder="Any type"
        aria-label="Type"
        searchable
        clearable
      />
      {filters.scope === 'all' && (
        <Select
          size="xs"
          w={175}
          data={withChosen(userOptions, filters.owner)}
          value={filters.owner || null}
          onChange={(owner) => onChange({ owner: owner ?? '' })}
          placeholder="Any author"
          aria-label="Author"
          searchable
          clearable
        />
      )}
      <SearchField value={filters.q} onChange={(q) => onChange({ q })} />
      <SavedFilters filters={filters} />
      {isFiltered(filters) && (
        <Button size="compact-xs" variant="subtle" onClick={() => onChange({ ...NO_FILTERS, states: [] })}>
          Clear filters
        </Button>
      )}
    </Group>
  );
}
