// The one error of the agent's own rooms: a step failed, for a reason the protocol names. Its message is read by people on the
// server: it says what is wrong and what is still true on the target.
import type { FailCode } from '../lib/agentProtocol';

export class StepError extends Error {
  constructor(
    readonly code: FailCode,
    message: string,
  ) {
    super(message);
    this.name = 'StepError';
  }
}

/** Why work in hand is told to stop: the reason of its AbortSignal. `stopping`: the program ends and resumes the work later. */
export type StopReason = 'canceled' | 'superseded' | 'stopping';

/** Thrown out of the work when its signal fired. */
export class StoppedError extends Error {
  constructor(readonly reason: StopReason) {
    super(`stopped: ${reason}`);
    this.name = 'StoppedError';
  }
}

export function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new StoppedError(signal.reason as StopReason);
}
