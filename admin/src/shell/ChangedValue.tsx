// A value that was and one that is, with an arrow between; `undefined`: there was, or is, none.
import { VisuallyHidden } from '@mantine/core';
import classes from './ChangedValue.module.css';

export function valueText(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function Side({ value, className }: { value: unknown; className: string | undefined }) {
  const text = valueText(value);
  return <span className={className}>{value === undefined ? 'none' : text === '' ? 'empty' : text}</span>;
}

export function ChangedValue({ before, after }: { before: unknown; after: unknown }) {
  return (
    <>
      <Side value={before} className={classes.before} />
      <span aria-hidden className={classes.arrow}>
        →
      </span>
      <VisuallyHidden>becomes</VisuallyHidden>
      <Side value={after} className={classes.after} />
    </>
  );
}
