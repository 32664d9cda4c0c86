// One row of a preview: what is changed from what to what.
import { Text } from '@mantine/core';
import { ChangedValue, valueText } from '../../shell/ChangedValue';

type Values = Record<string, unknown> | null;

interface Props {
  before: Values;
  after: Values;
  isRefused: boolean;
}

export function PreviewChange({ before, after, isRefused }: Props) {
  if (isRefused) return <Text span size="xs" c="dimmed" children="Left as it is" />;
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const changed = names.filter((name) => valueText(before?.[name]) !== valueText(after?.[name]));
  if (changed.length === 0) return <Text span size="xs" c="dimmed" children={after ? 'Stays as it is' : '–'} />;
  return changed.map((name) => (
    <div key={name}>
      <Text span size="xs" c="dimmed">
        {name}{' '}
      </Text>
      <ChangedValue before={before?.[name]} after={after?.[name]} />
    </div>
  ));
}
