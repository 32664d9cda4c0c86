// The kinds of deployment target. A stage may name any type of the list; those without a kind are refused as not there yet.
import type { TargetKind } from './define';
import { server, type ServerConfig, type ServerTarget } from './kinds/server';

export const STAGE_TYPES = [
  'server',
  'autoscaling-group',
  'kubernetes-service',
  'object-storage',
  'inventory',
] as const;
export type StageType = (typeof STAGE_TYPES)[number];

/** Grows to a union when the second kind comes. */
export type KnownKind = TargetKind<ServerTarget, ServerConfig>;

const KINDS: Partial<Record<StageType, KnownKind>> = { server };

export function findTargetKind(type: string): KnownKind | null {
  return KINDS[type as StageType] ?? null;
}
