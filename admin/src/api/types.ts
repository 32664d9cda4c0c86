// The documents of the public contract as the UI reads them. Imported by everything that shows one of them.
// Holds types alone; what the server generates (openapi.json) wins over what stands here.

export type Role = 'user' | 'power_user' | 'superadmin';

export interface Me {
  id: string;
  name: string;
  email: string;
  role: Role;
  language?: string | null;
  timeZone?: string | null;
}

export type JobState =
  | 'scheduled'
  | 'awaiting_approval'
  | 'queued'
  | 'running'
  | 'paused'
  | 'canceling'
  | 'succeeded'
  | 'completed_with_errors'
  | 'failed'
  | 'canceled'
  | 'rejected'
  | 'withdrawn'
  | 'expired';

export interface Progress {
  total: number | null;
  done: number;
  failed: number;
  skipped: number;
  percent: number | null;
  note: string | null;
  ratePerSecond: number | null;
  etaMs: number | null;
}

export interface Job {
  id: string;
  kind: string;
  title: string;
  state: JobState;
  phase: string | null;
  group: 'processed' | 'unprocessed';
  run: number;
  owner: { id: string | null; name: string; email: string };
  host: string | null;
  priority: number;
  notify: { email: boolean; to: string | null };
  progress: Progress;
  createdAt: string;
  queuedAt: string | null;
  startedAt: string | null;
  finishedAt: string | null;
  purgeAt: string | null;
  waitMs: number | null;
  processMs: number | null;
  errorCount: number;
  error: { code: string; message: string } | null;
  reportUrl: string | null;
  logUrl: string | null;
  errorsUrl: string | null;
  derivedFrom: string | null;
  waitingFor: string | null;
  allowedActions: string[];
  version: number;
  /** Sent with one job, not with a list. */
  params?: unknown;
}

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

export interface JobEvent {
  id: number | string;
  run: number;
  type: string;
  at: string;
  actor?: { id: string | null; name: string } | null;
  data?: Record<string, unknown> | null;
}

export interface JobRun {
  run: number;
  state?: string | null;
  outcome?: string | null;
  host?: string | null;
  total?: number | null;
  done?: number;
  failed?: number;
  skipped?: number;
  startedAt?: string | null;
  finishedAt?: string | null;
}

export interface RowError {
  rowIndex: number;
  code: string;
  message: string;
  row: unknown;
  attempt: number;
}

/** The part of JSON Schema that forms are drawn from. */
export interface JsonSchema {
  type?: string | string[];
  title?: string;
  description?: string;
  enum?: unknown[];
  default?: unknown;
  format?: string;
  maxLength?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  anyOf?: JsonSchema[];
}

export interface JobKind {
  kind: string;
  title: string;
  menu: string[];
  paramsSchema: JsonSchema | null;
  rowSchema: JsonSchema | null;
  takesRows: boolean;
}

export interface Person {
  id: string;
  name: string;
  email: string;
  role: Role;
}

export interface NewJob {
  kind: string;
  title?: string;
  params: Record<string, unknown>;
  notify?: { email: boolean };
  trial?: number;
  limits?: { maxFailed: number };
}

export type GroupState = 'deployed' | 'not_deployed' | 'confirming';

export interface Named {
  id: number;
  name: string;
}

export interface HistoryGroup {
  id: number;
  jobId: string;
  date: string;
  account: string;
  state: GroupState;
  entries: { total: number; byType: Record<string, number> };
  project?: Named;
  stage?: Named;
  scenario?: Named;
  message?: string | null;
}

export interface HistoryEntry {
  message: string | null;
  objectType: string;
  path: string;
  operation: 'store' | 'delete';
  date: string;
  state?: GroupState;
}

export interface Deployment {
  id: number;
  jobId: string;
  project: Named;
  stage: Named & { type: string };
  scenario: Named;
  artifact: Named & { version: number };
  account: string;
  status: string;
  state: GroupState;
  phase: string | null;
  waitingFor: string | null;
  reason: string | null;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  error: string | null;
  targets: { total: number; failed: number };
}

export interface TargetStep {
  step: string;
  status: string;
  startedAt: string | null;
  endedAt: string | null;
  error: string | null;
}

export interface DeploymentTarget {
  id: number;
  position: number;
  agent: { id: string; name: string; connected: boolean };
  status: string;
  cause: string | null;
  error: string | null;
  updatedAt: string;
  steps: TargetStep[];
}
