// Skeleton in the shape of rows. CSS holds it back for a moment, so that quick answers do not flicker.
import { Skeleton, Stack, VisuallyHidden } from '@mantine/core';
import classes from './LoadingRows.module.css';

export function LoadingRows({ rows = 6, height = 30 }: { rows?: number; height?: number }) {
  return (
    <Stack gap={6} p="xs" className={classes.late} role="status">
      <VisuallyHidden>Loading</VisuallyHidden>
      {Array.from({ length: rows }, (_, index) => (
        <Skeleton key={index} height={height} radius="sm" />
      ))}
    </Stack>
  );
}
