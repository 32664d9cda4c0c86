// The documents of the public contract by the names the UI uses. All are taken from what the server generates
// (generated/schema.d.ts, from openapi.json); only what the contract leaves open, JSON Schema, is written here.
import type { paths } from './generated/schema';

type Method = 'get' | 'post' | 'patch' | 'delete';
type Json<Response> = Response extends { content: { 'application/json': infer Body } } ? Body : never;
type Answer<Path extends keyof paths, M extends Method> = paths[Path][M] extends { responses: infer Responses }
  ? Json<Responses[keyof Responses & (200 | 201 | 202)]>
  : never;
type Item<Path extends keyof paths> = Answer<Path, 'get'> extends { items: (infer One)[] } ? One : never;

export type Me = Answer<'/api/v1/me', 'get'>;
export type Role = Me['role'];
export type Person = Item<'/api/v1/users'>;

export type Job = Answer<'/api/v1/jobs/{jobId}', 'get'>;
export type JobState = Job['state'];
export type Progress = Job['progress'];
export type JobPage = Answer<'/api/v1/jobs', 'get'>;
export type JobCounts = Answer<'/api/v1/jobs/counts', 'get'>['counts'];
export type JobQuery = NonNullable<paths['/api/v1/jobs']['get']['parameters']['query']>;
export type JobEvent = Item<'/api/v1/jobs/{jobId}/events'>;
export type ErrorGroup = Item<'/api/v1/jobs/{jobId}/errors/groups'>;
export type Approval = Answer<'/api/v1/jobs/{jobId}/approval', 'get'>;
export type Attempt = Item<'/api/v1/jobs/{jobId}/attempts'>;
export type Notice = Item<'/api/v1/jobs/{jobId}/notices'>;
export type Report = Answer<'/api/v1/jobs/{jobId}/report', 'get'>;
export type Difference = Answer<'/api/v1/jobs/{jobId}/difference', 'get'>;
export type Preview = Answer<'/api/v1/jobs/preview', 'post'>;
export type SavedFilter = Item<'/api/v1/saved-filters'>;
export type MeChange = NonNullable<paths['/api/v1/me']['patch']['requestBody']>['content']['application/json'];
export type Notifications = Answer<'/api/v1/notifications', 'get'>;

export type HistoryGroup = Item<'/api/v1/deployment-history'>;
export type GroupState = HistoryGroup['state'];
export type Deployment = Answer<'/api/v1/deployments/{deploymentId}', 'get'>;
export type DeploymentTarget = Item<'/api/v1/deployments/{deploymentId}/targets'>;
export type TargetStep = DeploymentTarget['steps'][number];

/** What the start dialog sends: a part of what POST /jobs takes. */
export interface NewJob {
  kind: string;
  title?: string;
  params: Record<string, unknown>;
  notify?: { email: boolean };
  trial?: number;
  limits?: { maxFailed: number };
}

/** What the dialog sends when it makes a new job from an old one: what is left out stays as it was. Null: none. */
export interface Resubmission {
  title?: string;
  params?: Record<string, unknown>;
  rows?: 'same' | 'failed' | 'unfinished';
  notify?: { email: boolean };
  trial?: number | null;
  limits?: { maxFailed: number } | null;
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

export type JobKind = Omit<Item<'/api/v1/job-kinds'>, 'paramsSchema' | 'rowSchema'> & {
  paramsSchema: JsonSchema | null;
  rowSchema: JsonSchema | null;
};
