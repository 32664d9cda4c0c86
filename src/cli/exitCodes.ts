// How each command ends, for scripts. The numbers are a promise; docs/generated/cli.md prints this table.
import type { JobState } from '../jobs/lifecycle';

export const EXIT = {
  ok: 0,
  fault: 1,
  usage: 2,
  withErrors: 3,
  failed: 4,
  refused: 5,
  unreachable: 6,
  waits: 7,
  detached: 130,
} as const;

export const EXIT_MEANING: Record<keyof typeof EXIT, string> = {
  ok: 'done; a job that was watched succeeded',
  fault: 'a fault of the program or of this machine; what it was stands on standard error',
  usage: 'wrong command, option, value or variable; nothing was sent',
  withErrors: 'the watched job ended with failed rows (`completed_with_errors`)',
  failed: 'the watched job ended as failed, canceled, rejected, withdrawn or expired',
  refused: 'the server refused: not signed in, not allowed, not there, wrong content, the state forbids it',
  unreachable: 'the server does not answer, or its database is away',
  waits: 'the watched job waits for a decision: trial, limit, pause or approval',
  detached: 'Ctrl-C while watching: the job goes on',
};

/** A command that ends with words for whoever called it, and with one of the numbers above. */
export class CliError extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT.fault,
  ) {
    super(message);
    this.name = 'CliError';
  }
}

/** For a job that is watched no longer: null while it goes on. */
export function exitCodeOf(state: JobState): number | null {
  switch (state) {
    case 'succeeded':
      return EXIT.ok;
    case 'completed_with_errors':
      return EXIT.withErrors;
    case 'failed':
    case 'canceled':
    case 'rejected':
    case 'withdrawn':
    case 'expired':
      return EXIT.failed;
    case 'paused':
    case 'awaiting_approval':
      return EXIT.waits;
    case 'scheduled':
    case 'queued':
    case 'running':
    case 'canceling':
      return null;
  }
}
