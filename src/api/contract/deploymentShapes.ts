// What the deployment routes take and answer, as schemas: bodies, query parameters and documents. Used by contract/deployments.ts
// for the check and by OpenAPI; the presenters give exactly these.
import { z } from 'zod';
import { PERMISSIONS } from '../../db/queries/projects';
import { GROUP_STATES, RUN_STATUSES } from '../../jobs/deployments/runStatus';
import { isBadText } from '../../jobs/badText';
import { projectName } from '../../jobs/deployments/names';
import { TARGET_STATUSES } from '../../jobs/deployments/targetFlow';
import { STAGE_TYPES } from '../../targets/catalog';
import { agentLabels, agentName } from '../../targets/kinds/server';

/** Ids of projects, stages, scenarios, artifacts and deployments in a path: positive 32-bit integers. */
export const pathId = z.coerce.number().int().min(1).max(2_147_483_647);

const id = z.int().positive();
const instant = z.iso.datetime();
/** Text that a client may send: no U+0000, no lone surrogates. */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((given) => !isBadText(given), { message: 'holds U+0000 or half of a surrogate pair' });
const named = z.object({ id, name: z.string() });

export const projectBody = z.strictObject({ name: projectName });
export const projectDoc = z.object({
  id,
  name: z.string(),
  createdAt: instant,
  version: z.int(),
  /** What the caller may do in it. */
  permissions: z.array(z.enum(PERMISSIONS)),
});

export const memberBody = z.strictObject({
  /** Id or e-mail. */
  user: text(320),
  permissions: z.array(z.enum(PERMISSIONS)).max(PERMISSIONS.length),
});
export const memberDoc = z.object({
  userId: z.uuid(),
  name: z.string(),
  email: z.string(),
  permissions: z.array(z.enum(PERMISSIONS)),
});

/** Checked in full by the kind of the type: an object of agents and labels for `server`. */
const part = z.record(z.string(), z.unknown());

export const stageBody = z.strictObject({ name: projectName, type: z.enum(STAGE_TYPES), target: part });
export const stagePatch = z.strictObject({ target: part });
export const stageDoc = z.object({
  id,
  name: z.string(),
  type: z.enum(STAGE_TYPES),
  target: part,
  createdAt: instant,
  version: z.int(),
});

export const scenarioBody = z.strictObject({
  name: projectName,
  stageId: id,
  description: text(500).optional(),
  config: part,
});
export const scenarioPatch = z
  .strictObject({ description: text(500).optional(), config: part.optional() })
  .refine((change) => change.description !== undefined || change.config !== undefined, {
    message: 'say what to change: description or config',
  });
export const scenarioDoc = z.object({
  id,
  name: z.string(),
  stageId: id,
  description: z.string(),
  config: part,
  createdAt: instant,
  version: z.int(),
});

export const artifactDoc = z.object({
  id,
  name: z.string(),
  version: z.int(),
  size: z.int(),
  sha256: z.string(),
  format: z.enum(['tar', 'tar.gz', 'zip', 'file']),
  createdAt: instant,
});

export const deployBody = z.strictObject({ artifactId: id, reason: text(1000).optional() });
export const deployAnswer = z.object({ id, jobId: z.uuid(), status: z.enum(RUN_STATUSES) });

export const deploymentDoc = z.object({
  id,
  jobId: z.uuid(),
  project: named,
  stage: named.extend({ type: z.enum(STAGE_TYPES) }),
  scenario: named,
  artifact: named.extend({ version: z.int() }),
  config: part,
  account: z.string(),
  /** SourceDeploy's word. */
  status: z.enum(RUN_STATUSES),
  /** JS7's word for the group. */
  state: z.enum(GROUP_STATES),
  phase: z.string().nullable(),
  waitingFor: z.string().nullable(),
  reason: z.string().nullable(),
  createdAt: instant,
  startedAt: instant.nullable(),
  endedAt: instant.nullable(),
  error: z.string().nullable(),
  targets: z.object({ total: z.int(), failed: z.int() }),
});

const stepStatus = z.enum(['inprogress', 'success', 'fail']);
export const stepDoc = z.object({
  targetId: id,
  agent: z.string(),
  step: z.enum(['pre', 'deploy', 'post']),
  status: stepStatus,
  startedAt: instant.nullable(),
  endedAt: instant.nullable(),
  error: z.string().nullable(),
});
export const targetDoc = z.object({
  id,
  position: z.int(),
  agent: z.object({ id: z.uuid(), name: z.string(), connected: z.boolean() }),
  status: z.enum(TARGET_STATUSES),
  cause: z.string().nullable(),
  error: z.string().nullable(),
  updatedAt: instant,
  steps: z.array(stepDoc.omit({ targetId: true, agent: true })),
});

export const cancelBody = z.strictObject({ reason: text(1000).optional() });

export const historyDoc = z.object({
  id,
  jobId: z.uuid(),
  date: instant,
  account: z.string(),
  state: z.enum(GROUP_STATES),
  status: z.enum(RUN_STATUSES),
  project: named,
  stage: named,
  scenario: named,
  /** Once for the group, as JS7 shows it. */
  message: z.string().nullable(),
  entries: z.object({ total: z.int(), byType: z.record(z.string(), z.int()) }),
});
export const entryDoc = z.object({
  message: z.string().nullable(),
  objectType: z.string(),
  path: z.string(),
  operation: z.enum(['store', 'delete']),
  date: instant,
  state: z.enum(GROUP_STATES),
});

export const agentDoc = z.object({
  id: z.uuid(),
  name: z.string(),
  labels: z.record(z.string(), z.string()),
  state: z.enum(['connected', 'away', 'revoked']),
  host: z.string().nullable(),
  version: z.string().nullable(),
  enrolledAt: instant,
  lastSeenAt: instant.nullable(),
  revokedAt: instant.nullable(),
});
export const enrolmentBody = z.strictObject({ name: agentName, labels: agentLabels.optional() });
export const enrolmentAnswer = z.object({ token: z.string(), expiresAt: instant });

/** SourceDeploy's detail for a Server stage (domain.md B5); each further type of stage gets a schema of its own. */
const seedStep = z.object({ pre: stepStatus.optional(), deploy: stepStatus.optional(), post: stepStatus.optional() });
const seedTime = z.object({ pre: instant.optional(), deploy: instant.optional(), post: instant.optional() });
const seedHeader = z.object({
  id,
  project: named,
  stage: named,
  scenario: named,
  status: z.enum(RUN_STATUSES),
  startTime: instant.nullable(),
});
export const seedListed = seedHeader;
export const seedServerDetail = seedHeader.extend({
  executor: z.string(),
  endTime: instant.nullable(),
  type: z.literal('Server'),
  config: z.object({
    strategy: z.literal('normal'),
    file: z.object({ type: z.literal('later'), selected: z.string() }),
    targets: z.array(
      z.object({
        server: z.object({ no: z.int(), name: z.string() }),
        status: z.enum(TARGET_STATUSES),
        time: seedTime,
        step: seedStep,
      }),
    ),
  }),
});
export type SeedServerDetail = z.infer<typeof seedServerDetail>;
