// Trial and stop limit of a job over rows. Both may be left empty.
import { Group, TextInput } from '@mantine/core';
import type { NewJob } from '../../api/types';

export interface Caution {
  trial: string;
  maxFailed: string;
}

interface Props {
  value: Caution;
  faults: Record<string, string>;
  onChange(value: Caution): void;
}

function readCount(text: string, least: number): number | null | 'wrong' {
  if (text.trim() === '') return null;
  const count = Number(text);
  return Number.isInteger(count) && count >= least ? count : 'wrong';
}

/** What was typed -> the fields of the job. */
export function readCaution({ trial, maxFailed }: Caution) {
  const options: Pick<NewJob, 'trial' | 'limits'> = {};
  const faults: Record<string, string> = {};
  const rows = readCount(trial, 1);
  const failures = readCount(maxFailed, 0);
  if (rows === 'wrong') faults['trial'] = 'A whole number from 1 on.';
  else if (rows !== null) options.trial = rows;
  if (failures === 'wrong') faults['maxFailed'] = 'A whole number from 0 on.';
  else if (failures !== null) options.limits = { maxFailed: failures };
  return { options, faults };
}

export function CautionFields({ value, faults, onChange }: Props) {
  return (
    <Group grow align="flex-start">
      <TextInput
        label="Trial rows"
        description="Deal with so many, then wait for you"
        placeholder="No trial"
        inputMode="numeric"
        value={value.trial}
        error={faults['trial']}
        onChange={(event) => onChange({ ...value, trial: event.currentTarget.value })}
      />
      <TextInput
        label="Pause after failed rows"
        description="Wait for you once more than so many failed"
        placeholder="No limit"
        inputMode="numeric"
        value={value.maxFailed}
        error={faults['maxFailed']}
        onChange={(event) => onChange({ ...value, maxFailed: event.currentTarget.value })}
      />
    </Group>
  );
}
