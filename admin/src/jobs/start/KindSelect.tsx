// Which kind of job is started: all that the caller may start, under the words of their menu.
import { Select } from '@mantine/core';
import type { JobKind } from '../../api/types';

interface Props {
  kinds: JobKind[];
  kind: JobKind;
  onChange(kind: string | null): void;
}

/** More than these are easier to type than to find. */
const SEARCH_FROM = 8;

function grouped(kinds: JobKind[]) {
  const groups = new Map<string, { value: string; label: string }[]>();
  for (const kind of kinds) {
    const group = kind.menu.join(' › ') || 'Other';
    groups.set(group, [...(groups.get(group) ?? []), { value: kind.kind, label: kind.title }]);
  }
  return [...groups].map(([group, items]) => ({ group, items }));
}

export function KindSelect({ kinds, kind, onChange }: Props) {
  return (
    <Select
      label="What to do"
      data={grouped(kinds)}
      value={kind.kind}
      onChange={onChange}
      allowDeselect={false}
      searchable={kinds.length > SEARCH_FROM}
      data-autofocus
    />
  );
}
