// The sign of each action, the same in menus and on buttons.
import {
  IconArrowBackUp,
  IconBan,
  IconCheck,
  IconPlayerPause,
  IconPlayerPlay,
  IconRefreshDot,
  IconTrash,
  IconX,
} from '@tabler/icons-react';
import type { UiAction } from './jobActions';

export const ACTION_ICONS = {
  cancel: IconBan,
  requeue: IconRefreshDot,
  pause: IconPlayerPause,
  resume: IconPlayerPlay,
  delete: IconTrash,
  approve: IconCheck,
  reject: IconX,
  withdraw: IconArrowBackUp,
  undo: IconArrowBackUp,
} as const satisfies Record<UiAction, unknown>;
