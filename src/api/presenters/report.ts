// A run's report -> the document of the contract. Pure.
import type { z } from 'zod';
import type { ReportEntry, ReportSeverity, RunReport } from '../../db/queries/reports';
import { SEVERITIES, type getJobReport } from '../contract/seeing';

type ReportDoc = z.infer<NonNullable<typeof getJobReport.response>>;

export function presentReport(
  run: number,
  report: RunReport,
  entries: ReportEntry[],
  least: ReportSeverity,
): ReportDoc {
  const from = SEVERITIES.indexOf(least);
  return {
    run,
    result: report.result === null ? null : (JSON.parse(report.result) as Record<string, unknown>),
    severity: highestSeverity(report),
    counts: { info: report.infos, warning: report.warnings, error: report.errors },
    entries: entries
      .filter((entry) => SEVERITIES.indexOf(entry.severity) >= from)
      .map((entry) => ({
        ...entry,
        data: entry.data === null ? null : (JSON.parse(entry.data) as Record<string, unknown>),
      })),
  };
}

export function highestSeverity(counts: { infos: number; warnings: number; errors: number }): ReportSeverity | null {
  if (counts.errors > 0) return 'error';
  if (counts.warnings > 0) return 'warning';
  return counts.infos > 0 ? 'info' : null;
}
