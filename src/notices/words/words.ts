// The words of all notices: one file a language fills this interface, so that a word that is missing fails the compiler.
// `n` is a number that decides the form, `count` the same as its language writes it.
import type { AlertFigures, AlertKind } from '../payload';

export type EndedState =
  'succeeded' | 'completed_with_errors' | 'failed' | 'canceled' | 'rejected' | 'withdrawn' | 'expired';

/** An amount and the text of it, as the language writes numbers. */
export interface Amount {
  n: number;
  count: string;
}

/** Figures of an alert as texts. */
export type Told = { [Name in keyof AlertFigures]: Name extends 'owedSince' | 'oldestWaitSeconds' ? string : Amount };

export interface Words {
  hello(name: string): string;
  jobEnded: {
    subject(title: string, state: EndedState): string;
    /** A sentence about the reader's own job. */
    yours(title: string, state: EndedState): string;
    /** A sentence about the job of somebody else. */
    theirs(owner: string, title: string, state: EndedState): string;
    rows(rows: { total: Amount; good: Amount; failed: Amount; skipped: Amount }): string;
    notDealtWith(open: Amount): string;
    causes: string;
    started: string;
    finished: string;
    took(duration: string): string;
    shortWhile: string;
    run: string;
    link: string;
  };
  digest: {
    subject(jobs: Amount): string;
    intro(jobs: Amount): string;
    state(jobs: Amount, state: EndedState): string;
    failedRows(rows: Amount): string;
    more(jobs: Amount): string;
    link: string;
    why: string;
  };
  approvalWanted: {
    subject(title: string): string;
    /** Who asks for what, and that nothing starts before. */
    asks(requester: string, title: string): string;
    quorum(people: Amount): string;
    kind: string;
    rows: string;
    run: string;
    hash: string;
    expires: string;
    link: string;
    /** Whoever has the link decides; opening it decides nothing. */
    personal: string;
  };
  alert: {
    title: Record<AlertKind, string>;
    /** What is wrong, what is still true and what to do. */
    text: Record<AlertKind, (told: Told) => string>;
    subject(title: string): string;
    recoveredSubject(title: string): string;
    recovered(title: string): string;
    since: string;
    until: string;
    link: string;
    why: string;
  };
}
