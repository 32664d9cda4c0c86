// How a kind of deployment target is declared: one file in kinds/ and one line in catalog.ts. The schemas judge what a stage and a
// scenario say; plan() turns them into the command of one agent. Nothing here does I/O.
import type { ZodType } from 'zod';
import type { AgentCommand } from '../lib/agentProtocol';

/** A command before it is signed: its time is set each time it is sent. */
export type CommandBody = Omit<AgentCommand, 'issuedAt' | 'expiresAt'>;

export interface PlanInput<C> extends Omit<CommandBody, 'kind' | 'scenario'> {
  config: C;
}

/** What the process must know of any config, whatever its kind. */
export interface CommonConfig {
  strategy: string;
  /** One target after another, or all at once. */
  sequence: boolean;
  maxParallel?: number | undefined;
}

export interface TargetKind<T, C extends CommonConfig> {
  type: string;
  /** Where a stage of this type leads. */
  target: ZodType<T>;
  /** What a scenario for such a stage may say. */
  config: ZodType<C>;
  plan(input: PlanInput<C>): CommandBody;
}

export function defineTargetKind<T, C extends CommonConfig>(kind: TargetKind<T, C>): TargetKind<T, C> {
  return kind;
}
