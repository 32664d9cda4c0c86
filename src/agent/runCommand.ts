// Carries out one accepted command: pre, deploy, post. Called by commandDesk, again after a restart if the agent was ended before
// the last report. What the journal says is done is not done twice; what was begun and not done is done again from its start.
import { rm } from 'node:fs/promises';
import type { Logger } from 'pino';
import { STEPS, type FailCode, type ProgramCall, type Report, type Step } from '../lib/agentProtocol';
import { messageOf } from '../lib/errors';
import { ARCHIVE_LIMITS, type ArchiveLimits } from './archiveRules';
import type { CommandJournal } from './commandJournal';
import { artifactPath, assertUnchanged, fetchArtifact, openArtifact, type ArtifactSource } from './fetchArtifact';
import {
  makeRelease,
  openPlace,
  pruneReleases,
  readCurrent,
  removeCurrent,
  switchCurrent,
  type ReleasePlace,
} from './releases';
import { endLeftOver, runProgram, type StartedProgram } from './runProgram';
import { StepError, StoppedError, throwIfStopped, type StopReason } from './stepError';
import { createStepLog, type LogBudget, type StepLog } from './stepLog';
import { unpackArchive } from './unpackArchive';

export interface CommandRun {
  journal: CommandJournal;
  root: string;
  source: ArtifactSource;
  /** What programs see of the environment. */
  environment: Record<string, string>;
  signal: AbortSignal;
  logger: Logger;
  limits?: ArchiveLimits;
  /** The journal has a new report. */
  onReport(made: Report): void;
}

/** Of one command; programs that say more are cut off, and the log says so. */
const MAX_LOG_CHARS = 1_000_000;
/** Written before work is told to stop, so that a kill in between does not make it go on. */
export const STOP_MARK = 'stop';
/** The commit point of a deployment was reached; holds where the links pointed before. */
const SWITCHING = 'switching';

/** Never throws for what a target can get wrong. Ends with a final report, or without one if the agent itself is stopping. */
export async function runCommand(run: CommandRun): Promise<void> {
  const { journal } = run;
  const budget: LogBudget = { left: MAX_LOG_CHARS };
  for (const step of STEPS) {
    if (journal.hasReport(step, 'success')) continue;
    if (!(await runStep(run, step, budget))) break;
  }
}

/** Whether the step succeeded. */
async function runStep(run: CommandRun, step: Step, budget: LogBudget): Promise<boolean> {
  const { journal } = run;
  const report = (status: Report['status'], more: Partial<Report> = {}): void =>
    run.onReport(journal.append({ step, status, at: run.source.now(), final: false, ...more }));
  const log = createStepLog(budget, (text) => report('progress', { log: text }));
  try {
    // Links that were begun to be switched are switched to the end, whoever would stop it.
    if (step !== 'deploy' || !journal.marked(SWITCHING)) throwIfStopped(run.signal);
    if (!journal.hasReport(step, 'started')) report('started');
    else log.line('the agent was restarted and goes on with this step');
    await STEP_WORK[step](run, log);
    log.close();
    if (step === 'post') await dropArtifact(run);
    report('success', { final: step === 'post' });
    return true;
  } catch (error) {
    log.close();
    const failure = failureOf(error);
    if (failure === null) return false;
    run.logger.warn(
      { commandId: journal.command.id, step, code: failure.code },
      `step ${step} failed: ${failure.error}`,
    );
    await dropArtifact(run);
    report('fail', { ...failure, final: true });
    return false;
  }
}

/** Before the last report: after it, nothing of the command is left here. */
async function dropArtifact(run: CommandRun): Promise<void> {
  await rm(artifactPath(run.source.folder, run.journal.command.id), { force: true });
}

function failureOf(error: unknown): { code: FailCode; error: string } | null {
  if (error instanceof StoppedError) return STOPPED[error.reason];
  if (error instanceof StepError) return { code: error.code, error: error.message };
  return { code: 'agent_fault', error: `The agent could not go on: ${messageOf(error, 2_000)}` };
}

const STOPPED: Record<StopReason, { code: FailCode; error: string } | null> = {
  canceled: { code: 'canceled', error: 'Canceled. What was done before stays as it is.' },
  superseded: { code: 'superseded', error: 'A newer command for this target took its place.' },
  // Resumed by the next life of the agent.
  stopping: null,
};

const STEP_WORK: Record<Step, (run: CommandRun, log: StepLog) => Promise<void>> = {
  /** The artifact is brought and checked first: a wrong one fails before any program has run. */
  async pre(run, log) {
    const { command } = run.journal;
    log.line(`downloading ${command.artifact.name} (${command.artifact.size} bytes)`);
    await fetchArtifact(command, run.source, (line) => log.line(line), run.signal);
    log.line(`SHA-256 is right: ${command.artifact.sha256}`);
    await runPrograms(run, 'pre', command.scenario.pre, log);
  },
  deploy,
  post: (run, log) => runPrograms(run, 'post', run.journal.command.scenario.post, log),
};

async function runPrograms(run: CommandRun, step: Step, calls: ProgramCall[], log: StepLog): Promise<void> {
  const { journal } = run;
  for (const [index, call] of calls.entries()) {
    const name = `${step} ${index}`;
    if (journal.marked(`${name} done`)) continue;
    const left = journal.marked(`${name} begun`);
    if (left && (await endLeftOver(left.data as StartedProgram)))
      log.line('ended what the last run of this command had left running');
    await runProgram({
      call,
      step,
      cwd: run.root,
      environment: {
        ...run.environment,
        GANTRY_ROOT: run.root,
        GANTRY_DEPLOYMENT_ID: String(journal.command.deploymentId),
        GANTRY_STEP: step,
      },
      log,
      signal: run.signal,
      onStart: (started) => journal.mark(`${name} begun`, started),
    });
    journal.mark(`${name} done`);
  }
}

/** All releases are made whole before the first link is switched; from then on nothing stops the switching but an error. */
async function deploy(run: CommandRun, log: StepLog): Promise<void> {
  const { command } = run.journal;
  const places: ReleasePlace[] = [];
  for (const entry of command.scenario.deploy) {
    places.push(await openPlace(run.root, entry.deployPath, command.deploymentId));
  }
  if (!run.journal.marked(SWITCHING)) {
    for (const [index, place] of places.entries()) {
      await prepareRelease(run, place, command.scenario.deploy[index]?.sourcePath ?? '/', log);
    }
    throwIfStopped(run.signal);
    run.journal.mark(SWITCHING, await Promise.all(places.map(readCurrent)));
  }
  await switchAll(places, run.journal.marked(SWITCHING)?.data as (string | null)[]);
  for (const place of places) {
    log.line(`${place.current} is now release ${place.deploymentId}`);
    // What is too old is only rubbish: not being able to remove it fails nothing.
    await pruneReleases(place).catch((error: unknown) => log.line(`old releases stay: ${messageOf(error, 300)}`));
  }
}

async function prepareRelease(run: CommandRun, place: ReleasePlace, sourcePath: string, log: StepLog): Promise<void> {
  throwIfStopped(run.signal);
  const { artifact } = run.journal.command;
  await readCurrent(place);
  const contentKey = JSON.stringify([artifact.sha256, artifact.format, artifact.name, sourcePath]);
  await makeRelease(place, contentKey, async (into) => {
    log.line(`unpacking ${sourcePath} to ${place.release}`);
    // After a restart the download may be gone.
    await fetchArtifact(run.journal.command, run.source, (line) => log.line(line), run.signal);
    const file = await openArtifact(run.journal.command, run.source.folder);
    try {
      const limits = run.limits ?? ARCHIVE_LIMITS;
      await unpackArchive({ file, artifact, sourcePath, into, limits, signal: run.signal });
      await assertUnchanged(file, artifact);
    } finally {
      await file.close();
    }
  });
}

/** If one link cannot be switched, those before it go back: several folders of one deployment are not left mixed. */
async function switchAll(places: ReleasePlace[], before: (string | null)[]): Promise<void> {
  for (const [index, place] of places.entries()) {
    try {
      await switchCurrent(place);
    } catch (error) {
      for (const [done, earlier] of places.slice(0, index).entries()) {
        const to = before[done] ?? null;
        await (to === null ? removeCurrent(earlier) : switchCurrent(earlier, to));
      }
      throw error;
    }
  }
}
