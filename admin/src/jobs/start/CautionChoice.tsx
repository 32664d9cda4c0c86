// Resubmit: trial and stop limit stay as they were, or are set anew. No document of the old job tells them.
import { Checkbox, Stack } from '@mantine/core';
import { CautionFields } from './CautionFields';
import type { Draft, Faults } from './draft';

interface Props {
  draft: Draft;
  faults: Faults;
  onChange(change: Partial<Draft>): void;
}

export function CautionChoice({ draft, faults, onChange }: Props) {
  return (
    <Stack gap="xs">
      <Checkbox
        label="Same trial and limits as before"
        checked={draft.keepsCaution}
        onChange={(event) => onChange({ keepsCaution: event.currentTarget.checked })}
      />
      {!draft.keepsCaution && (
        <CautionFields value={draft.caution} faults={faults} onChange={(caution) => onChange({ caution })} />
      )}
    </Stack>
  );
}
