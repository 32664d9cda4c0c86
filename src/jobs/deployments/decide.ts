// What a tick of a deployment does next, as a pure function of its targets: who gets a command, who is dropped, who has failed,
// and whether it is over. advance() in definitions/deployment.ts writes what is decided here; nothing here knows of a database.
import type { FinalState } from '../lifecycle';
import { TARGET_FAILED } from './runStatus';
import { isSettled, type TargetStatus } from './targetFlow';

export interface TargetView {
  id: number;
  agentName: string;
  status: TargetStatus;
  commandId: string | null;
  connected: boolean;
  revoked: boolean;
  cause: string | null;
  error: string | null;
}

export interface Rule {
  sequence: boolean;
  maxParallel?: number | undefined;
  /** Null, or since when cancel is asked for. */
  cancelAgeMs: number | null;
}

export interface Settled {
  id: number;
  to: 'fail' | 'no_progress';
  cause: string;
  error: string;
}

export interface Decision {
  /** Targets that get their command now. */
  command: number[];
  settle: Settled[];
  /** Set when every target is settled. */
  end: { state: FinalState; error?: { code: string; message: string } } | null;
  /** Of the wait, when it is not over. */
  phase: 'deploying' | 'confirming';
  waitingFor: string;
}

/** How long a canceled deployment waits for an agent to say that it has stopped. After it, what the agent does is told as unknown. */
export const CANCEL_WAIT_MS = 15_000;

export function decide(targets: TargetView[], rule: Rule): Decision {
  const settle: Settled[] = [];
  const now = new Map(targets.map((target) => [target.id, target.status]));
  const end = (target: TargetView, to: Settled['to'], cause: string, error: string): void => {
    settle.push({ id: target.id, to, cause, error });
    now.set(target.id, to);
  };
  const open = (): TargetView[] => targets.filter((target) => !isSettled(now.get(target.id) ?? target.status));
  const failed = (): boolean => targets.some((target) => now.get(target.id) === 'fail');

  for (const target of open()) {
    if (target.revoked) end(target, 'fail', 'agent_revoked', `The agent "${target.agentName}" was revoked.`);
  }
  if (rule.cancelAgeMs !== null) {
    for (const target of open()) settleCanceled(target, rule.cancelAgeMs, end);
  } else if (rule.sequence && failed()) {
    for (const target of open().filter((one) => one.status === 'pending')) {
      end(target, 'no_progress', 'earlier_failed', 'A target before it failed; the deployment stopped there.');
    }
  }

  const left = open();
  const under = left.filter((target) => target.commandId !== null);
  const room = rule.sequence ? 1 - under.length : (rule.maxParallel ?? targets.length) - under.length;
  const command =
    rule.cancelAgeMs === null ? left.filter((target) => target.commandId === null).slice(0, Math.max(0, room)) : [];
  const active = [...under, ...command];
  const away = active.filter((target) => !target.connected);
  return {
    command: command.map((target) => target.id),
    settle,
    end: left.length > 0 ? null : endOf(targets, now, settle, rule),
    phase: away.length > 0 ? 'confirming' : 'deploying',
    waitingFor: away.length > 0 ? `agent ${names(away)}` : `report of ${names(active)}`,
  };
}

/** Never handed over: it never runs. Handed over: its agent is told to stop, and is waited for a while. */
function settleCanceled(
  target: TargetView,
  ageMs: number,
  end: (target: TargetView, to: Settled['to'], cause: string, error: string) => void,
): void {
  if (target.status === 'pending')
    end(target, 'no_progress', 'canceled', 'The deployment was canceled before it began.');
  else if (ageMs >= CANCEL_WAIT_MS) {
    end(
      target,
      'fail',
      'canceled',
      `Canceled; "${target.agentName}" did not say that it stopped, so what it did is unknown.`,
    );
  }
}

function endOf(
  targets: TargetView[],
  now: Map<number, TargetStatus>,
  settle: Settled[],
  rule: Rule,
): NonNullable<Decision['end']> {
  if (targets.every((target) => now.get(target.id) === 'success')) return { state: 'succeeded' };
  if (rule.cancelAgeMs !== null) return { state: 'canceled' };
  const bad = targets.filter((target) => now.get(target.id) === 'fail');
  const first = bad[0];
  const why = first && (settle.find((one) => one.id === first.id)?.error ?? first.error ?? 'it failed');
  const message = first
    ? `${bad.length} of ${targets.length} targets failed; first "${first.agentName}": ${why}`
    : 'No target was deployed to.';
  return { state: 'failed', error: { code: TARGET_FAILED, message } };
}

/** A few names and how many more, for a line of text. */
function names(targets: TargetView[]): string {
  const shown = targets.slice(0, 3).map((target) => target.agentName);
  const more = targets.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
