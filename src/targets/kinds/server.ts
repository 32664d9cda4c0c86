// The target kind "server": one or more machines with an agent. Its stage target and scenario config are exactly domain.md B2's
// Server column; plan() makes the command for one agent. Pure: signing, sending and waiting belong to the gateway and the process.
import { z } from 'zod';
import { cleanText } from '../../lib/errors';
import { defineTargetKind } from '../define';

export const agentName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,100}$/, 'takes 1 to 100 letters, digits, dots, hyphens or underscores');

/** No program, path or label can hold U+0000 or a lone surrogate. */
const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((given) => cleanText(given) === given, { message: 'holds U+0000 or half of a surrogate pair' });

export const agentLabels = z.record(text(63).trim().min(1), text(255));

const serverTarget = z
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
    .array(text(32_768))
    .min(1)
    .max(256)
    .refine((args) => (args[0] ?? '').trim() !== '', { message: 'the program is blank' }),
  user: text(64).trim().min(1, 'the user is blank').optional(),
});

const path = text(1024)
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

const serverConfig = z.strictObject({
  strategy: z.literal('normal'),
  /** One target after another, or all at once. */
  sequence: z.boolean().default(true),
  /** How many at once, where not one after another; none: all. */
  maxParallel: z.int().min(1).max(1000).optional(),
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

export const server = defineTargetKind({
  type: 'server',
  target: serverTarget,
  config: serverConfig,
  plan: ({ config, ...command }) => ({
    ...command,
    kind: 'deploy',
    scenario: { pre: config.pre, deploy: config.deploy, post: config.post },
  }),
});
