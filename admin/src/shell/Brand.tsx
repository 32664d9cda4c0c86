// Name and mark.
import { Group, Text } from '@mantine/core';
import classes from './Brand.module.css';

export function Brand() {
  return (
    <Group gap={8} wrap="nowrap">
      <svg className={classes.mark} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="7" className={classes.ground} />
        <path d="M6 10h20M9 10v16M23 10v16M16 10v6" className={classes.beam} />
        <rect x="12.4" y="16" width="7.2" height="6.4" rx="1.2" className={classes.load} />
      </svg>
      <Text fw={650} size="md" component="span" className={classes.name}>
        Gantry
      </Text>
    </Group>
  );
}
