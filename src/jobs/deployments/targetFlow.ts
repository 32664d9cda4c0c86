// The states of one deployment target and every move between them, as SourceDeploy names them (domain.md B6).
// Used by the process, the agent's reports and settleDeployment; guards of updates derive from it, an illegal move touches no row.
import type { TargetStatus } from '../../db/generated/database';

export type { TargetStatus } from '../../db/generated/database';

/** Where a target may go from each state. A state added in SQL stops the compiler here. */
export const TARGET_MOVES = {
  /** Its command was not handed to the agent yet: its turn has not come, or the agent is away. */
  pending: ['standby', 'fail', 'no_progress'],
  /** The agent is connected and was given the command; nothing has begun that we know of. */
  standby: ['pre', 'fail', 'no_progress'],
  /** The agent runs the commands before the switch. */
  pre: ['deploy', 'fail'],
  /** The agent unpacks and switches. */
  deploy: ['post', 'fail'],
  /** The agent runs the commands after the switch. */
  post: ['success', 'fail'],
  success: [],
  fail: [],
  /** Never ran: a target before it failed in sequential order, or the deployment was canceled first. */
  no_progress: [],
} as const satisfies Record<TargetStatus, readonly TargetStatus[]>;

export const TARGET_STATUSES = Object.keys(TARGET_MOVES) as [TargetStatus, ...TargetStatus[]];

export function isSettled(status: TargetStatus): boolean {
  return TARGET_MOVES[status].length === 0;
}

/** The states a target may stand in when it is moved to `to`: the guard of the update. */
export function statusesBefore(to: TargetStatus): TargetStatus[] {
  return TARGET_STATUSES.filter((from) => (TARGET_MOVES[from] as readonly TargetStatus[]).includes(to));
}

/**
 * The moves that lead from one state to another, or null where the table knows no way. A scenario without pre commands
 * still passes through `pre`; a report that overtakes the others' loss is walked to, never jumped to.
 */
export function pathTo(from: TargetStatus, to: TargetStatus): TargetStatus[] | null {
  if (from === to) return [];
  for (const next of TARGET_MOVES[from] as readonly TargetStatus[]) {
    if (next === to) return [next];
  }
  for (const next of TARGET_MOVES[from] as readonly TargetStatus[]) {
    const rest = isSettled(next) ? null : pathTo(next, to);
    if (rest) return [next, ...rest];
  }
  return null;
}
