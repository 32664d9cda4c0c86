// How a job kind is declared: one file with one of these three calls, and one line in catalog.ts.
// Validation, OpenAPI, the form, wiring and policy flags derive from the definition; handlers speak in outcomes (style rule 7).
import type { ZodType } from 'zod';
import type { Db, Tx } from '../db/handles';
import type { UserRole } from '../db/generated/database';
import type { Logger } from '../lib/logger';
import type { FinalState } from './lifecycle';

export type JsonObject = Record<string, unknown>;

export interface Policy {
  /** A running job may be canceled. Default true. */
  cancelable: boolean;
  /** An ended job may be run again. Default true. */
  requeueable: boolean;
  /** May run again after its worker died. False: it then ends as failed, never twice. Default true. */
  restartable: boolean;
  needsApproval: boolean;
  /** Its handler runs in a process of its own, which is killed when it does not heed cancel or timeout. Default false. */
  isolated: boolean;
  /** Milliseconds that one run (of a chunk, for mass actions) may take; then its signal fires, then it is killed or fenced. Null: no limit. */
  timeoutMs: number | null;
  /** Days an ended job stays; null: RETENTION_DAYS. */
  retentionDays: number | null;
  /** By how much of what its history says a run may differ before a warning is shown. Default 50. */
  durationTolerancePercent: number;
  /** An ended job may be taken back: the kind has undoChunk. */
  undoable: boolean;
}

/** How a request of a kind that needs approval is decided. */
export interface ApprovalRules {
  /** Different people who must approve. Default 1. */
  quorum?: number;
  /** E-mail addresses of those who may decide, besides nobody else. Left out: every superadmin. */
  approvers?: string[];
  /** Milliseconds until an undecided request expires. Default seven days. */
  expiresAfterMs?: number;
}

interface DefinitionBase {
  /** The stored name, equal to the file's name. */
  kind: string;
  title: string;
  /** Where the start dialog shows it. */
  menu: string[];
  /** Who may start it. */
  roles: UserRole[];
  /** Asked of a token besides `jobs:write`: what the kind does is the business of another scope. */
  scope?: 'admin';
  policy?: Partial<Omit<Policy, 'undoable'>>;
  approval?: ApprovalRules;
}

export type Severity = 'info' | 'warning' | 'error';

/** What every handler is given. `signal` fires on cancel, on loss of the lease and at the end of a graceful stop. */
export interface JobContext<P> {
  jobId: string;
  run: number;
  params: P;
  /** The parameters' JSON as it was sent. */
  paramsText: string;
  owner: { id: string; name: string; email: string };
  signal: AbortSignal;
  db: Db;
  logger: Logger;
  /** A line of the job's log, kept with the job. */
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void;
  progress(done: number, total: number | null, note?: string): void;
  /** A line of the result report that is attached to the run. */
  report(severity: Severity, message: string, data?: JsonObject): void;
  idempotencyKey: string;
  deps: HandlerDeps;
}

/** Things of the outside that a handler may use; composed in app.ts. */
export interface HandlerDeps {
  callOperation(request: OperationCall, signal: AbortSignal): Promise<OperationAnswer>;
  hashPassword(password: string): Promise<string>;
  wakeAgents(): void;
}

export interface OperationCall {
  endpoint: string;
  body: string;
  idempotencyKey: string;
  /** Sent along, so that the receiver can tell what came of which job. */
  jobId: string;
  secret: string | null;
  timeoutMs: number;
}

/** retry: try again no sooner than `afterMs`; refused: the chunk's rows fail with `message`. */
export type OperationAnswer =
  | { type: 'results'; results: RowResult[] }
  | { type: 'retry'; afterMs: number | null; message: string }
  | { type: 'refused'; code: string; message: string };

export interface Row {
  /** Counted from 0 over the whole input. */
  rowIndex: number;
  data: JsonObject;
  /** The row's JSON as it was sent, digits included; left out for rows of a CSV. */
  json?: string;
}

/** One answer a row; a row without one has failed with `no_result`. */
export interface RowResult {
  rowIndex: number;
  success: boolean;
  skipped?: boolean;
  code?: string;
  message?: string;
  /** What the row's subject was before, kept for undo; only of kinds with undoChunk. */
  before?: JsonObject;
  /** What it would be afterwards: answers to a dry run only. */
  after?: JsonObject;
}

/** A row of an undo job: the row as it was first sent, and what the first job kept of the time before; `json` holds both. */
export interface UndoRow extends Row {
  /** Its index in the job that is taken back; `rowIndex` is that in the undo job, as everywhere. */
  undoneRowIndex: number;
  before: JsonObject;
}

/** What a row would do: for previews. `before` null: made anew; `after` null: taken away; `refusal`: it would fail so. */
export interface PreviewRow {
  rowIndex: number;
  before: JsonObject | null;
  after: JsonObject | null;
  skipped?: boolean;
  refusal?: { code: string; message: string };
}

export interface JobDefinition<P = JsonObject> extends DefinitionBase {
  shape: 'job';
  params: ZodType<P>;
  /** Returns the report to keep, or nothing. Throws PermanentJobError, RetryLaterError, or anything else for failed. */
  run(ctx: JobContext<P>): Promise<JsonObject | void>;
}

export interface ChunkContext<P> extends JobContext<P> {
  /** Index of the first row of the chunk, part of the idempotency key. */
  firstRowIndex: number;
  /** The chunk's number within its run. */
  chunk: number;
  /** The job that is taken back; only for undoChunk. */
  undoOf?: string;
  /** Set for in-database kinds: effects written through it commit together with the chunk's counts and row errors. */
  tx: Tx | null;
}

/** What a chunk came to: its rows' results, or a wish to be tried again (no slot is held until then). */
export type ChunkOutcome =
  { type: 'done'; results: RowResult[] } | { type: 'retry'; afterMs: number | null; code: string; message: string };

export interface MassActionDefinition<P = JsonObject> extends DefinitionBase {
  shape: 'massAction';
  params: ZodType<P>;
  /** JSON Schema of one row, for the form and the check of each row; null: any object. */
  rowSchema: JsonObject | null;
  paramsSchema?: JsonObject | null;
  /** Rows a chunk, 1 to 1,000. */
  chunkSize: number;
  /** Chunks of one job in flight. */
  concurrency: number;
  /** True: processChunk gets `tx` and touches nothing but our database: exactly once. */
  inDatabase: boolean;
  /** Tries of a chunk before its rows fail with `endpoint_unavailable`, and the backoff between them. */
  retry: { attempts: number; minDelayMs: number; maxDelayMs: number };
  /** Rows a second over all jobs and workers of this kind. */
  ratePerSecond: number | null;
  /** True: a new run's chunks are sized by how long earlier rows of the kind took, between 1 and chunkSize rows. */
  adaptive?: boolean;
  processChunk(ctx: ChunkContext<P>, rows: Row[]): Promise<ChunkOutcome>;
  /** Judges rows without changing anything: POST /jobs/preview. `tx` of the context is rolled back in any case. */
  previewChunk?(ctx: ChunkContext<P>, rows: Row[]): Promise<PreviewRow[]>;
  /** Puts back what `before` tells; a row whose subject changed since fails with `changed_since`. Its presence makes a kind undoable. */
  undoChunk?(ctx: ChunkContext<P>, rows: UndoRow[]): Promise<ChunkOutcome>;
}

/** What a tick of a process decides. `again`: next tick at once; `waitFor`: sleep in the ledger until woken or the deadline. */
export type Advance =
  | { type: 'again' }
  | { type: 'waitFor'; phase: string; waitingFor: string; deadline: Date | null }
  | { type: 'ended'; state: FinalState; error?: { code: string; message: string }; report?: JsonObject };

export interface ProcessContext<P> extends JobContext<P> {
  /** The tick's own transaction: what the tick writes and its decision commit together. */
  tx: Tx;
  /** Cancel was asked for: stop what is under way and end as canceled when it has stopped. */
  cancelRequested: boolean;
}

export interface ProcessDefinition<P = JsonObject> extends DefinitionBase {
  shape: 'process';
  params: ZodType<P>;
  /** One repeatable tick: read rows, decide, write the next step. Never waits itself. */
  advance(ctx: ProcessContext<P>): Promise<Advance>;
}

// Definitions of any parameters live in one catalogue, hence the erased type.
/* eslint-disable @typescript-eslint/no-explicit-any */
export type Definition = JobDefinition<any> | MassActionDefinition<any> | ProcessDefinition<any>;

export function defineJob<P>(definition: Omit<JobDefinition<P>, 'shape'>): JobDefinition<P> {
  return { shape: 'job', ...definition };
}

export function defineMassAction<P>(definition: Omit<MassActionDefinition<P>, 'shape'>): MassActionDefinition<P> {
  return { shape: 'massAction', ...definition };
}

export function defineProcess<P>(definition: Omit<ProcessDefinition<P>, 'shape'>): ProcessDefinition<P> {
  return { shape: 'process', ...definition };
}

const DEFAULT_POLICY: Policy = {
  cancelable: true,
  requeueable: true,
  restartable: true,
  needsApproval: false,
  isolated: false,
  timeoutMs: null,
  retentionDays: null,
  durationTolerancePercent: 50,
  undoable: false,
};

export function policyOf(definition: Definition): Policy {
  const undoable = definition.shape === 'massAction' && definition.undoChunk !== undefined;
  return { ...DEFAULT_POLICY, ...definition.policy, undoable };
}
