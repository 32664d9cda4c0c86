// Icon and word in the colour of a state, for jobs, deployments, targets and steps.
import type { IconBan } from '@tabler/icons-react';
import classes from './LookBadge.module.css';

interface Props {
  word: string;
  color: string;
  Icon: typeof IconBan;
  note?: string | null | undefined;
  large?: boolean | undefined;
}

export function LookBadge({ word, color, Icon, note, large }: Props) {
  return (
    <span className={`${classes.badge} ${large ? classes.large : ''}`} data-color={color} title={note ?? undefined}>
      <Icon size={large ? 17 : 14} stroke={2} aria-hidden className={classes.icon} />
      <span className={classes.word}>{word}</span>
      {note && large && <span className={classes.note}>· {note}</span>}
    </span>
  );
}
