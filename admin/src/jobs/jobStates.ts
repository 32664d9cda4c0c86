// Word, icon and colour of every state: a state is never told by colour alone. Exhaustive; a new state stops the compiler.
import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconBan,
  IconCalendarTime,
  IconCircleCheck,
  IconCircleX,
  IconClockX,
  IconHandStop,
  IconHourglassEmpty,
  IconPlayerPause,
  IconProgress,
  IconThumbDown,
  IconUserQuestion,
} from '@tabler/icons-react';
import type { JobState } from '../api/types';

interface Look {
  word: string;
  color: string;
  Icon: typeof IconBan;
}

export const JOB_STATES: Record<JobState, Look> = {
  scheduled: { word: 'Scheduled', color: 'gray', Icon: IconCalendarTime },
  awaiting_approval: { word: 'Needs approval', color: 'violet', Icon: IconUserQuestion },
  queued: { word: 'Waiting', color: 'gray', Icon: IconHourglassEmpty },
  running: { word: 'Running', color: 'blue', Icon: IconProgress },
  paused: { word: 'Paused', color: 'yellow', Icon: IconPlayerPause },
  canceling: { word: 'Canceling', color: 'orange', Icon: IconHandStop },
  succeeded: { word: 'Succeeded', color: 'teal', Icon: IconCircleCheck },
  completed_with_errors: { word: 'With errors', color: 'orange', Icon: IconAlertTriangle },
  failed: { word: 'Failed', color: 'red', Icon: IconCircleX },
  canceled: { word: 'Canceled', color: 'gray', Icon: IconBan },
  rejected: { word: 'Rejected', color: 'red', Icon: IconThumbDown },
  withdrawn: { word: 'Withdrawn', color: 'gray', Icon: IconArrowBackUp },
  expired: { word: 'Expired', color: 'gray', Icon: IconClockX },
};

export const STATE_NAMES = Object.keys(JOB_STATES) as JobState[];
