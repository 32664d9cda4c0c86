// Resubmit: which rows of the old job the new one takes. Which have failed is settled once the old one has ended.
import { Radio, Stack } from '@mantine/core';
import type { Job } from '../../api/types';
import { useFormats } from '../../format/useFormats';
import type { RowScope } from './draft';

interface Props {
  from: Job;
  value: RowScope;
  onChange(scope: RowScope): void;
}

export function RowsChoice({ from, value, onChange }: Props) {
  const { number } = useFormats();
  const { total, failed } = from.progress;
  const isOpen = from.group === 'unprocessed';
  const settled = isOpen ? 'Which rows have failed is settled when the old job has ended.' : undefined;
  return (
    <Radio.Group
      label="Rows"
      description={settled ?? 'Taken from the old job; they are numbered from 0 anew.'}
      value={value}
      onChange={(scope) => onChange(scope as RowScope)}
    >
      <Stack gap={6} mt={6}>
        <Radio value="same" label={total === null ? 'The same rows' : `The same ${number(total)} rows`} />
        <Radio value="failed" label={`Failed rows only (${number(failed)})`} disabled={isOpen || failed === 0} />
        <Radio value="unfinished" label="Unfinished rows: not dealt with, or failed" disabled={isOpen} />
      </Stack>
    </Radio.Group>
  );
}
