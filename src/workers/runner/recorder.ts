// Log lines, report lines and progress of one holding, collected in memory and written at most once a second, and at its end.
// All are written under the lease: a fenced worker's lines change nothing.
import type { Db } from '../../db/database';
import { saveProgress, type Lease } from '../../db/queries/claims';
import { appendLog, logLimitOf, type LogEntry } from '../../db/queries/logLines';
import { appendReport, MAX_ENTRIES, type ReportEntry, type ReportSeverity } from '../../db/queries/reports';
import { isTransient, withRetry } from '../../db/retry';
import { cleanText, messageOf } from '../../lib/errors';
import type { Logger } from '../../lib/logger';
import { maskSecrets } from '../../lib/secrets';

export interface Recorder {
  log(level: LogEntry['level'], message: string): void;
  progress(done: number, total: number | null, note?: string): void;
  report(severity: ReportSeverity, message: string, data?: Record<string, unknown>): void;
  /** Progress that was told and not yet written, for whoever writes it in a transaction of its own. */
  takeProgress(): Progress | null;
  flush(): Promise<void>;
  /** Writes what is left; later lines are dropped. */
  close(): Promise<void>;
}

export interface Progress {
  done: number;
  total: number | null;
  note: string | null;
}

const FLUSH_MS = 1000;
/** Lines kept in memory at most: a handler that logs in a tight loop loses lines, not the worker. */
const MAX_LINES = 10_000;
const BATCH = 1000;
const MAX_LENGTH = 10_000;
/** JSON text of a report line's data. */
const MAX_DATA = 10_000;

export interface RecorderDeps {
  db: Db;
  lease: Lease;
  logger: Logger;
  /** Of the log of one run; beyond it only errors are kept. */
  logLimitBytes: number;
  onProgress(): void;
}

export function createRecorder(deps: RecorderDeps): Recorder {
  const { db, lease, logger } = deps;
  const limit = logLimitOf(deps.logLimitBytes);
  let lines: LogEntry[] = [];
  let entries: ReportEntry[] = [];
  let lost = 0;
  let latest: Progress | null = null;
  let closed = false;
  let writing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | null = null;

  const write = async (): Promise<void> => {
    if (lost > 0) {
      lines.push({ level: 'warn', message: `${lost} lines were not kept: too many at once` });
      lost = 0;
    }
    while (lines.length > 0) {
      const batch = lines.slice(0, BATCH);
      await withRetry(() => appendLog(db, lease, batch, limit));
      lines = lines.slice(batch.length);
    }
    const told = entries;
    if (told.length > 0) {
      await withRetry(() => appendReport(db, lease, told));
      entries = entries.slice(told.length);
    }
    const progress = latest;
    latest = null;
    if (progress && (await withRetry(() => saveProgress(db, lease, progress)))) deps.onProgress();
  };
  const flush = (): Promise<void> => {
    if (timer) clearTimeout(timer);
    timer = null;
    writing = writing.then(write).catch((error: unknown) => {
      // What cannot be written now stays for the next flush, unless it can never be written.
      if (!isTransient(error)) {
        lines = [];
        entries = [];
      }
      logger.warn({ jobId: lease.jobId, error: messageOf(error, 300) }, 'log lines or progress were not written');
    });
    return writing;
  };
  const soon = (): void => {
    timer ??= setTimeout(() => void flush(), FLUSH_MS);
  };

  return {
    log: (level, message) => {
      if (closed) return;
      if (lines.length >= MAX_LINES) lost += 1;
      else lines.push({ level, message: textOf(message) });
      soon();
    },
    progress: (done, total, note) => {
      if (closed || !Number.isFinite(done)) return;
      latest = {
        done: Math.floor(done),
        total: total === null ? null : Math.floor(total),
        note: note === undefined ? null : textOf(note).slice(0, 500),
      };
      soon();
    },
    report: (severity, message, data) => {
      if (closed) return;
      // Beyond what is kept only the first of a flush matter; the rest would fill the memory.
      if (entries.length < 2 * MAX_ENTRIES) {
        entries.push({ severity, message: textOf(message), data: jsonOf(data) });
      }
      soon();
    },
    takeProgress: () => {
      const progress = latest;
      latest = null;
      return progress;
    },
    flush,
    close: async () => {
      closed = true;
      await flush();
    },
  };
}

function textOf(message: unknown): string {
  return maskSecrets(cleanText(String(message))).slice(0, MAX_LENGTH);
}

/** Data that cannot be kept is left out and said so. */
function jsonOf(data: Record<string, unknown> | undefined): string | null {
  if (data === undefined) return null;
  try {
    const text = maskSecrets(JSON.stringify(data) ?? 'null').toWellFormed();
    if (text.length <= MAX_DATA) return text;
  } catch {
    // Circular, or a toJSON that throws.
  }
  return JSON.stringify({ note: 'The data of this line could not be kept as JSON, or was too large.' });
}
