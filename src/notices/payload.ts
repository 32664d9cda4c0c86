// What a notice about an ended run says, frozen when the run ends: the mail is the same however late it goes out.
// Written by jobs/finishRun.ts, read by the templates.
export interface NoticePayload {
  jobId: string;
  run: number;
  kind: string;
  title: string;
  /** The run's outcome. */
  state: string;
  ownerName: string;
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
