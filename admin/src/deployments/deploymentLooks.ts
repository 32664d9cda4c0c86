// Word, icon and colour of deployments, targets and steps. A word the server adds later is shown as it is.
import {
  IconAlertTriangle,
  IconBan,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconHandStop,
  IconHourglassEmpty,
  IconProgress,
  IconThumbDown,
  IconUserQuestion,
} from '@tabler/icons-react';
import type { GroupState } from '../api/types';

export interface Look {
  word: string;
  color: string;
  Icon: typeof IconBan;
}

export const GROUP_LOOKS: Record<GroupState, Look> = {
  deployed: { word: 'Deployed', color: 'teal', Icon: IconCircleCheck },
  not_deployed: { word: 'Not deployed', color: 'red', Icon: IconCircleX },
  confirming: { word: 'Confirming', color: 'blue', Icon: IconHourglassEmpty },
};

const LOOKS: Record<string, Look> = {
  pending: { word: 'Pending', color: 'gray', Icon: IconUserQuestion },
  waiting: { word: 'Waiting', color: 'gray', Icon: IconHourglassEmpty },
  standby: { word: 'Standing by', color: 'gray', Icon: IconHourglassEmpty },
  inprogress: { word: 'In progress', color: 'blue', Icon: IconProgress },
  pre: { word: 'Pre', color: 'blue', Icon: IconProgress },
  deploy: { word: 'Deploy', color: 'blue', Icon: IconProgress },
  post: { word: 'Post', color: 'blue', Icon: IconProgress },
  canceling: { word: 'Canceling', color: 'orange', Icon: IconHandStop },
  canceled: { word: 'Canceled', color: 'gray', Icon: IconBan },
  success: { word: 'Success', color: 'teal', Icon: IconCircleCheck },
  fail: { word: 'Failed', color: 'red', Icon: IconCircleX },
  error: { word: 'Error', color: 'red', Icon: IconAlertTriangle },
  reject: { word: 'Rejected', color: 'red', Icon: IconThumbDown },
  no_progress: { word: 'Not run', color: 'gray', Icon: IconCircleDashed },
};

export function lookOf(status: string): Look {
  return LOOKS[status] ?? { word: status.replaceAll('_', ' '), color: 'gray', Icon: IconCircleDashed };
}
