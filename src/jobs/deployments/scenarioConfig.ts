// What a scenario and its stage may say, exactly as domain.md B2's Server column has it. Commands of projects and the contract
// both parse with these; the other target types have a name here and are answered `not yet`.
import { z } from 'zod';

export const STAGE_TYPES = [
  'server',
  'autoscaling-group',
  'kubernetes-service',
  'object-storage',
  'inventory',
] as const;
export type StageType = (typeof STAGE_TYPES)[number];

/** Names of projects, stages and scenarios: 1 to 100 letters, digits, `-` and `_`. */
export const projectName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,100}$/, 'takes 1 to 100 letters, digits, hyphens or underscores');

const agentName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,100}$/, 'takes 1 to 100 letters, digits, dots, hyphens or underscores');

export const agentLabels = z.record(z.string().trim().min(1).max(63), z.string().max(255));

export const serverTarget = z
  .strictObject({
    agents: z.array(agentName).max(1000).optional(),
    labels: agentLabels.optional(),
  })
  .refine((target) => (target.agents?.length ?? 0) > 0 || Object.keys(target.labels ?? {}).length > 0, {
    message: 'name at least one agent or one label',
  });
export type ServerTarget = z.infer<typeof serverTarget>;

/** Arguments are handed to the program one by one; no shell ever reads them. */
const command = z.strictObject({
  args: z
    .array(z.string().max(32_768))
    .min(1)
    .max(256)
    .refine((args) => (args[0] ?? '').trim() !== '', { message: 'the program is blank' }),
  user: z.string().trim().min(1, 'the user is blank').max(64).optional(),
});

const path = z
  .string()
  .max(1024)
  .refine((text) => text.trim() !== '', { message: 'the path is blank' })
  .refine((text) => !text.split(/[\\/]/).includes('..'), { message: 'the path leaves its folder by ".."' });

const deployStep = z.strictObject({
  /** A folder or file of the artifact; `/` is all of it. */
  sourcePath: path,
  /** A folder under the agent's root. */
  deployPath: path.refine((text) => text.replace(/^[./\\]+|[./\\]+$/g, '') !== '', {
    message: 'the path names no folder under the root of the agent',
  }),
});

export const serverConfig = z.strictObject({
  strategy: z.literal('normal'),
  /** One target after another, or all at once. */
  sequence: z.boolean().default(true),
  /** Rolling back by itself comes with a later slice; until then the flag may only say no. */
  rollback: z
    .literal(false, { error: 'rollback on failure is not there yet; leave it out or send false' })
    .default(false),
  pre: z.array(command).max(100).default([]),
  deploy: z
    .array(deployStep)
    .min(1)
    .max(100)
    .refine((steps) => new Set(steps.map((step) => folderOf(step.deployPath))).size === steps.length, {
      message: 'two steps deploy to the same folder',
    }),
  post: z.array(command).max(100).default([]),
});
export type ServerConfig = z.infer<typeof serverConfig>;

/** Two spellings of one folder are one folder. */
function folderOf(deployPath: string): string {
  return deployPath
    .split(/[\\/]/)
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}
