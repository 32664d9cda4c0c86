// Processes of their own for work that must not harm its neighbours: started on demand, one piece of work at a time, kept warm
// for a while. The worker holds the lease; the process writes under it. Only this file starts and kills them.
import { fork, type ChildProcess } from 'node:child_process';
import { newId } from '../../lib/ids';
import type { Logger } from '../../lib/logger';
import type { Holding } from '../runner/holdings';
import type { Task } from '../runner/perform';
import type { FromIsolate, ToIsolate } from './messages';

export interface IsolateOptions {
  /** The module that calls serveIsolate. */
  entry: string;
  /** Default: those of this process. */
  execArgv?: string[];
  /** What that module composes itself from. Sent over IPC, for it holds secrets. */
  init: unknown;
}

/** How work in a process of its own went; `session` names the database sessions that a dead one may have left. */
export type LoneEnd =
  | { type: 'done' }
  | { type: 'unknownKind' }
  | { type: 'killed'; session: string }
  | { type: 'crashed'; how: string; session: string }
  | { type: 'unstarted'; message: string };

export interface Isolates {
  run(task: Task, holding: Holding, limitMs: number | null): Promise<LoneEnd>;
  /** Kills whatever is left. */
  close(): Promise<void>;
}

interface Isolate {
  process: ChildProcess;
  session: string;
  pieces: number;
  /** Resolves when it is gone, with how that was. */
  gone: Promise<string>;
}

const MAX_IDLE = 2;
const IDLE_MS = 30_000;
/** One that has done so many pieces of work is replaced, as what leaked in it is then. */
const MAX_PIECES = 200;
const START_WITHIN_MS = 60_000;

export function createIsolates(
  options: IsolateOptions,
  settings: { leaseMs: number; graceMs: number; logger: Logger },
): Isolates {
  const living = new Set<Isolate>();
  const idle = new Map<Isolate, NodeJS.Timeout>();

  const start = async (): Promise<Isolate> => {
    const session = `gantry-alone-${newId()}`;
    const child = fork(options.entry, [], {
      execArgv: options.execArgv ?? process.execArgv,
      serialization: 'advanced',
      // A group of its own: a Ctrl-C reaches the worker alone, and a kill reaches what the handler has started.
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const gone = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ? `by ${signal}` : `with exit code ${code}`));
      child.once('error', (error) => resolve(`before it began: ${error.message}`));
    });
    const isolate: Isolate = { process: child, session, pieces: 0, gone };
    living.add(isolate);
    void gone.then(() => {
      living.delete(isolate);
      forget(isolate);
    });
    const ready = answerOf(isolate, START_WITHIN_MS);
    send(isolate, { type: 'init', init: options.init, session });
    const answer = await ready;
    if (answer.type === 'ready') return isolate;
    kill(isolate);
    if (answer.type === 'failed') throw new Error(answer.message);
    throw new Error(answer.type === 'gone' ? `it ended ${answer.how}` : 'it did not begin in time');
  };

  const forget = (isolate: Isolate): void => {
    clearTimeout(idle.get(isolate));
    idle.delete(isolate);
  };

  const borrow = async (): Promise<Isolate> => {
    const [warm] = idle.keys();
    if (!warm) return start();
    forget(warm);
    hold(warm, true);
    return warm;
  };

  const giveBack = (isolate: Isolate): void => {
    const retire = (): void => {
      forget(isolate);
      if (isolate.process.connected) isolate.process.disconnect();
    };
    if (isolate.pieces >= MAX_PIECES || idle.size >= MAX_IDLE) return retire();
    idle.set(isolate, setTimeout(retire, IDLE_MS).unref());
    hold(isolate, false);
  };

  return {
    run: async (task, holding, limitMs) => {
      let isolate: Isolate;
      try {
        isolate = await borrow();
      } catch (error) {
        return { type: 'unstarted', message: (error as Error).message };
      }
      isolate.pieces += 1;
      let isKilled = false;
      let graceTimer: NodeJS.Timeout | undefined;
      const killIt = (): void => {
        isKilled = true;
        kill(isolate);
      };
      const onStop = (): void => {
        const reason = holding.reason() ?? 'lease_lost';
        send(isolate, { type: 'stop', reason });
        // At a graceful stop it is handed back by others, and killed with the rest.
        if (reason !== 'stopping') graceTimer = setTimeout(killIt, settings.graceMs);
      };
      const beat = setInterval(() => {
        if (holding.reason() !== 'lease_lost') send(isolate, { type: 'beat' });
      }, settings.leaseMs / 4);
      const answer = answerOf(isolate, null);
      send(isolate, { type: 'work', task, leaseMs: settings.leaseMs });
      holding.limit(limitMs);
      if (holding.signal.aborted) onStop();
      else holding.signal.addEventListener('abort', onStop, { once: true });
      const end = await answer;
      clearInterval(beat);
      clearTimeout(graceTimer);
      holding.signal.removeEventListener('abort', onStop);
      const { session } = isolate;
      if (end.type === 'gone')
        return isKilled ? { type: 'killed', session } : { type: 'crashed', how: end.how, session };
      giveBack(isolate);
      if (end.type === 'unknownKind') return { type: 'unknownKind' };
      if (end.type === 'done' && end.error !== null) throw new Error(end.error);
      return { type: 'done' };
    },
    close: async () => {
      const left = [...living];
      left.forEach(kill);
      await Promise.all(left.map((isolate) => isolate.gone));
    },
  };
}

type Answer = FromIsolate | { type: 'gone'; how: string } | { type: 'late' };

/** The next thing it says, or that it is gone. */
function answerOf(isolate: Isolate, withinMs: number | null): Promise<Answer> {
  return new Promise((resolve) => {
    const timer = withinMs === null ? undefined : setTimeout(() => resolve({ type: 'late' }), withinMs);
    const onMessage = (message: unknown): void => settle(message as FromIsolate);
    const settle = (answer: Answer): void => {
      clearTimeout(timer);
      isolate.process.removeListener('message', onMessage);
      resolve(answer);
    };
    isolate.process.on('message', onMessage);
    void isolate.gone.then((how) => settle({ type: 'gone', how }));
  });
}

function send(isolate: Isolate, message: ToIsolate): void {
  // One that has just died is met as gone.
  if (isolate.process.connected) isolate.process.send(message, () => undefined);
}

/** An idle one does not keep the worker's process from ending. */
function hold(isolate: Isolate, isHeld: boolean): void {
  if (isHeld) {
    isolate.process.ref();
    isolate.process.channel?.ref();
  } else {
    isolate.process.unref();
    isolate.process.channel?.unref();
  }
}

/** With all that it has started; where there are no groups, alone. */
function kill(isolate: Isolate): void {
  const { pid } = isolate.process;
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    isolate.process.kill('SIGKILL');
  }
}
