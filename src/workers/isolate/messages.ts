// What a worker and a process of its own say to each other over IPC.
import type { StopReason } from '../runner/holdings';
import type { Task } from '../runner/perform';

/** init: what the process composes itself from; session: the name of its database sessions. beat: the lease is held. */
export type ToIsolate =
  | { type: 'init'; init: unknown; session: string }
  | { type: 'work'; task: Task; leaseMs: number }
  | { type: 'beat' }
  | { type: 'stop'; reason: StopReason };

export type FromIsolate =
  | { type: 'ready' }
  | { type: 'failed'; message: string }
  | { type: 'done'; error: string | null }
  /** Its catalogue holds no such kind: definitions handed in by a program are known to that program alone. */
  | { type: 'unknownKind' };
