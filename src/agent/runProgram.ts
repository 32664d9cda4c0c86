// Runs one program of a scenario: its arguments as they are, no shell, a process group of its own, a time limit.
// Called by runCommand. Whatever stops it (time, cancel, the agent's end) takes the whole group, so nothing is left behind.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import type { ProgramCall, Step } from '../lib/agentProtocol';
import { pause } from '../lib/abort';
import { isSameProcess, processStamp } from './processStamp';
import { StepError, throwIfStopped } from './stepError';
import type { StepLog } from './stepLog';

/** Ten minutes, unless the scenario says otherwise. */
const DEFAULT_TIMEOUT_MS = 10 * 60_000;
/** What a program has between the polite signal and the final one. */
const KILL_AFTER_MS = 2_000;
/** A daemon it started may hold its output open; after the exit we listen only so long. */
const DRAIN_MS = 500;

export interface ProgramRun {
  call: ProgramCall;
  step: Step;
  cwd: string;
  environment: Record<string, string>;
  log: StepLog;
  signal: AbortSignal;
  /** Told at once after the start, so that a later life of the agent can end what a kill of the agent left running. */
  onStart(started: StartedProgram): void;
}

export interface StartedProgram {
  pid: number;
  stamp: string | null;
}

/** Returns when it ended with 0; everything else is a StepError, or a StoppedError if the signal fired. */
export async function runProgram(run: ProgramRun): Promise<void> {
  throwIfStopped(run.signal);
  const [program = '', ...args] = run.call.args;
  run.log.line(`$ ${run.call.args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : JSON.stringify(arg))).join(' ')}`);
  const identity = await identityOf(run.call.user);
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      cwd: run.cwd,
      env: run.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      ...identity,
    });
    if (child.pid === undefined) await once(child, 'spawn');
  } catch (error) {
    throw new StepError('command_failed', `${program} could not be started: ${(error as Error).message}.`);
  }
  const started = { pid: child.pid as number, stamp: processStamp(child.pid as number) };
  const exit = exitOf(child);
  run.onStart(started);
  const timeoutMs = run.call.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const timeout = AbortSignal.timeout(timeoutMs);
  const stop = AbortSignal.any([run.signal, timeout]);
  const onStop = (): void => void endGroup(started);
  stop.addEventListener('abort', onStop, { once: true });
  if (stop.aborted) onStop();
  const outputs = [listen(child.stdout, run.log), listen(child.stderr, run.log)];
  const { code, killedBy } = await exit;
  stop.removeEventListener('abort', onStop);
  await Promise.race([Promise.all(outputs), pause(DRAIN_MS)]);
  child.stdout?.destroy();
  child.stderr?.destroy();
  await Promise.all(outputs);
  throwIfStopped(run.signal);
  if (timeout.aborted)
    throw new StepError('timed_out', `${program} was ended: it took longer than ${timeoutMs / 1000} s.`);
  if (code !== 0) {
    const how = killedBy ? `was ended by ${killedBy}` : `ended with code ${code}`;
    throw new StepError('command_failed', `${program} ${how}. Its output is in the log.`);
  }
}

/** Ends a program and all it started, politely and then for good; resolves when the group is gone. */
export async function endGroup(started: StartedProgram): Promise<void> {
  if (!isSameProcess(started.pid, started.stamp) && !isGroupAlive(started.pid)) return;
  signalGroup(started.pid, 'SIGTERM');
  const deadline = Date.now() + KILL_AFTER_MS;
  while (Date.now() < deadline) {
    if (!isGroupAlive(started.pid)) return;
    await pause(50);
  }
  signalGroup(started.pid, 'SIGKILL');
}

/** After a restart: only if the leader is that very process, for a number may have gone to somebody else. */
export async function endLeftOver(started: StartedProgram): Promise<boolean> {
  if (started.stamp === null || !isSameProcess(started.pid, started.stamp)) return false;
  await endGroup(started);
  return true;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}

function isGroupAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function exitOf(child: ChildProcess): Promise<{ code: number | null; killedBy: NodeJS.Signals | null }> {
  return new Promise((resolve) => child.once('exit', (code, killedBy) => resolve({ code, killedBy })));
}

function listen(output: NodeJS.ReadableStream | null, log: StepLog): Promise<void> {
  return new Promise((resolve) => {
    if (!output) return resolve();
    const lines = log.stream();
    output.on('data', (bytes: Buffer) => lines.write(bytes));
    output.on('error', () => undefined);
    output.once('close', () => {
      lines.end();
      resolve();
    });
  });
}

/** Only root can become somebody else; a wish that cannot be met fails the step before anything runs. */
async function identityOf(user: string | undefined): Promise<{ uid?: number; gid?: number }> {
  if (user === undefined || user === userInfo().username) return {};
  if (process.getuid?.() !== 0) {
    throw new StepError(
      'command_failed',
      `The command asks for user ${user}, but this agent runs as ${userInfo().username}. Start the agent as ${user} or as root, or take the user out of the scenario.`,
    );
  }
  const ask = async (option: string): Promise<number> =>
    Number((await promisify(execFile)('id', [option, '--', user])).stdout);
  try {
    return { uid: await ask('-u'), gid: await ask('-g') };
  } catch {
    throw new StepError('command_failed', `The command asks for user ${user}, who does not exist on this machine.`);
  }
}
