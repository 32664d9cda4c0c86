// A number with its name above.
import { Text } from '@mantine/core';
import classes from './Figure.module.css';

export function Figure({ name, value, isBad = false }: { name: string; value: string; isBad?: boolean }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text size="lg" fw={600} className={isBad ? classes.bad : undefined}>
        {value}
      </Text>
    </div>
  );
}
