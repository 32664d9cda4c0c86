// Which run is looked at; nothing to choose with one.
import { Select } from '@mantine/core';

interface Props {
  latest: number;
  run: number | null;
  onRun(run: number | null): void;
}

export function RunSelect({ latest, run, onRun }: Props) {
  if (latest < 2) return null;
  const data = Array.from({ length: latest }, (_, index) => String(latest - index)).map((value) => ({
    value,
    label: Number(value) === latest ? `Run ${value} (latest)` : `Run ${value}`,
  }));
  return (
    <Select
      size="xs"
      w={150}
      aria-label="Run"
      data={data}
      value={String(run ?? latest)}
      allowDeselect={false}
      onChange={(value) => onRun(value === null || Number(value) === latest ? null : Number(value))}
    />
  );
}
