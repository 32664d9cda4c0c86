// A job's state as icon and word.
import type { JobState } from '../api/types';
import { LookBadge } from '../shell/LookBadge';
import { JOB_STATES } from './jobStates';

interface Props {
  state: JobState;
  phase?: string | null;
  large?: boolean;
}

export function StateBadge({ state, phase, large }: Props) {
  const { word, color, Icon } = JOB_STATES[state];
  const more = phase && phase !== state ? phase.replaceAll('_', ' ') : null;
  return <LookBadge word={word} color={color} Icon={Icon} note={more} large={large} />;
}
