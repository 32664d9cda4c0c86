// Takes in what an agent says about a command: once, in one transaction with the target, its step and the wake-up of the process.
// Called by the gateway. A report sent again is acknowledged and changes nothing; one for an ended deployment likewise.
import type { Db, Tx } from '../../db/database';
import {
  insertReport,
  lockTargetOfCommand,
  moveTarget,
  upsertStep,
  type CommandTarget,
} from '../../db/queries/deploymentTargets';
import { insertChange } from '../../db/queries/events';
import { wakeProcess } from '../../db/queries/processes';
import { withRetry } from '../../db/retry';
import type { RejectReason, Report } from '../../lib/agentProtocol';
import { cleanText } from '../../lib/errors';
import { pathTo, type TargetStatus } from './targetFlow';

/** taken: something changed. known: it was taken in before, or came too late. unknown: no such command of this agent. */
export type Taken = 'taken' | 'known' | 'unknown';

export interface ReportDeps {
  db: Db;
  /** Called after the commit that woke a process: wakes gantry_work and gantry_change. */
  wakeWork(): void;
}

export async function takeReport(deps: ReportDeps, agentId: string, report: Report): Promise<Taken> {
  const taken = await withRetry(() =>
    deps.db.transaction().execute(async (tx) => {
      const target = await lockTargetOfCommand(tx, report.commandId, agentId);
      if (!target) return 'unknown';
      if (!(await insertReport(tx, report.commandId, report.seq)) || target.ended) return 'known';
      await writeStep(tx, target, report);
      await move(tx, target, statusAfter(report), report);
      // Lines of a log alone give the process nothing to decide.
      if (report.status !== 'progress') await wakeProcess(tx, target.jobId);
      await insertChange(tx, 'deployment', String(target.deploymentId), target.ownerId);
      return 'taken';
    }),
  );
  if (taken === 'taken') deps.wakeWork();
  return taken;
}

/** These are final: sending the same command again would be refused again. */
const HOPELESS: RejectReason[] = ['malformed', 'bad_signature', 'wrong_audience', 'older_epoch'];

/** An agent that refuses a command fails its target, unless it may take it when it is sent again. */
export async function takeRejection(
  deps: ReportDeps,
  agentId: string,
  rejection: { commandId: string; reason: RejectReason; message: string },
): Promise<Taken> {
  if (!HOPELESS.includes(rejection.reason)) return 'known';
  const taken = await withRetry(() =>
    deps.db.transaction().execute(async (tx) => {
      const target = await lockTargetOfCommand(tx, rejection.commandId, agentId);
      if (!target) return 'unknown';
      const told = { cause: rejection.reason, error: cleanText(`The agent refused the command: ${rejection.message}`) };
      // Only a command that has not begun can be refused; later refusals are of copies.
      if (target.ended || !(await moveTarget(tx, target.id, ['standby'], 'fail', told))) return 'known';
      await wakeProcess(tx, target.jobId);
      await insertChange(tx, 'deployment', String(target.deploymentId), target.ownerId);
      return 'taken';
    }),
  );
  if (taken === 'taken') deps.wakeWork();
  return taken;
}

function statusAfter(report: Report): TargetStatus {
  if (report.status === 'fail') return 'fail';
  if (report.final && report.status === 'success') return 'success';
  return report.step;
}

/** Walks the table of moves, so that no state is ever jumped over; a report that leads nowhere moves nothing. */
async function move(tx: Tx, target: CommandTarget, to: TargetStatus, report: Report): Promise<void> {
  let from = target.status;
  for (const next of pathTo(from, to) ?? []) {
    const told =
      next === 'fail'
        ? { cause: report.code ?? 'agent_fault', error: cleanText(report.error ?? 'The agent gave no reason.') }
        : {};
    await moveTarget(tx, target.id, [from], next, told);
    from = next;
  }
}

async function writeStep(tx: Tx, target: CommandTarget, report: Report): Promise<void> {
  const at = new Date(report.at);
  const ended = report.status === 'success' || report.status === 'fail';
  await upsertStep(tx, {
    targetId: target.id,
    step: report.step,
    status: report.status === 'success' ? 'success' : report.status === 'fail' ? 'fail' : 'inprogress',
    startedAt: report.status === 'started' ? at : null,
    endedAt: ended ? at : null,
    error: report.error === undefined ? null : cleanText(report.error),
    log: report.log === undefined ? null : cleanText(report.log),
  });
}
