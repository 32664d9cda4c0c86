// What a notice says, frozen when it is made: the mail is the same however late it goes out.
// Written by whoever makes a notice (jobs/finishRun.ts, queries/alerts.ts and others), read by the templates.

/** Whom a notice is written for. */
export interface Reader {
  /** '' for an address that is no user's. */
  name: string;
  /** A language of catalog.ts; others are told in English. */
  language: string;
  timeZone: string;
}

/** Every kind's payload has its reader; a job-ended notice of an earlier version has none. */
export interface PayloadBase {
  reader?: Reader;
}

export interface NoticePayload extends PayloadBase {
  jobId: string;
  run: number;
  kind: string;
  title: string;
  /** The run's outcome. */
  state: string;
  ownerName: string;
  /** The reader is somebody else. */
  toOther?: boolean;
  total: number | null;
  good: number;
  failed: number;
  skipped: number;
  startedAt: string | null;
  finishedAt: string;
  error: { code: string; message: string } | null;
  /** The three most frequent causes of failed rows. */
  topErrors: { code: string; message: string; count: number }[];
}

/** Many ended jobs in one mail. */
export interface DigestPayload extends PayloadBase {
  /** How many ended so, all of them. */
  counts: Record<string, number>;
  /** The latest of them. */
  jobs: { jobId: string; title: string; state: string; failed: number; finishedAt: string }[];
}

export type AlertKind = 'no-worker' | 'queue-stalled' | 'mail-failing' | 'retention-late';

/** The figures of an alert; each kind has some of them. */
export interface AlertFigures {
  waiting?: number;
  oldestWaitSeconds?: number;
  undelivered?: number;
  refused?: number;
  owedSince?: string;
}

export interface AlertPayload extends PayloadBase {
  alert: AlertKind;
  openedAt: string;
  /** Set when it is over. */
  closedAt: string | null;
  figures: AlertFigures;
}
