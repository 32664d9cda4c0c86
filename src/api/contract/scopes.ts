// What a token may be limited to, and which scope each endpoint asks for. Scopes only ever narrow what the role may do.
import type { Route } from './endpoint';

/** What each scope opens, for openapi.json and the pages. */
export const SCOPES = {
  'jobs:read': 'See jobs, their logs, reports and files, and follow them',
  'jobs:write': 'Start and steer jobs, keep saved filters',
  'jobs:approve': 'Approve and reject requests',
  'deployments:read': 'See projects, deployments and their history',
  'deployments:write': 'Change projects, upload artifacts, deploy',
  'metrics:read': 'Read /metrics',
  admin: 'Everything else: accounts, tokens, operations, agents, workers, audit',
} as const;
export type Scope = keyof typeof SCOPES;
export const SCOPE_NAMES = Object.keys(SCOPES) as [Scope, ...Scope[]];

type Declared = Pick<Route['endpoint'], 'method' | 'path' | 'tag' | 'access' | 'scope'>;

/** The subject of what stands under a tag; a tag that is not here is administration. */
const SUBJECT_OF_TAG: Record<string, 'jobs' | 'deployments'> = {
  jobs: 'jobs',
  notifications: 'jobs',
  'saved filters': 'jobs',
  Projects: 'deployments',
  Deployments: 'deployments',
};

/** Null: open to every token, as it is to everybody or tells only who calls. */
export function scopeOf(endpoint: Declared): Scope | null {
  if (endpoint.scope !== undefined) return endpoint.scope;
  if (endpoint.access === 'anonymous') return null;
  const subject = SUBJECT_OF_TAG[endpoint.tag];
  if (!subject) return 'admin';
  if (/\/(approve|reject)$/.test(endpoint.path)) return 'jobs:approve';
  return `${subject}:${endpoint.method === 'get' ? 'read' : 'write'}`;
}
