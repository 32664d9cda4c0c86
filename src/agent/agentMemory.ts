// What the agent remembers of commands it was given, over restarts: ids until they expire, and the highest epoch of each target.
// Asked by commandDesk before a command is taken; a repeat or an older epoch is never run.
import { z } from 'zod';
import type { AgentCommand } from '../lib/agentProtocol';
import { GantryError } from '../lib/errors';
import { readJson, writeDurably } from './stateFolder';

export type Verdict = 'new' | 'seen' | 'older_epoch';

export interface AgentMemory {
  judge(command: AgentCommand): Verdict;
  /** Durable when it returns. */
  remember(command: AgentCommand, now: number): void;
}

/** Past its time a command is refused as expired; the extra hour covers a clock that was set back. */
const REMEMBER_AFTER_EXPIRY_MS = 60 * 60_000;
/** One target row per deployment and agent: so many deployments are far beyond any command still alive. */
const MAX_EPOCHS = 10_000;

const shape = z.object({
  commands: z.record(z.string(), z.number()),
  epochs: z.array(z.tuple([z.number(), z.number()])),
});

export function openMemory(path: string): AgentMemory {
  const stored = readJson(path);
  const parsed = shape.safeParse(stored ?? { commands: {}, epochs: [] });
  if (!parsed.success)
    throw new GantryError('internal', `${path} is damaged. Remove the agent's folder and enrol again.`);
  const commands = new Map(Object.entries(parsed.data.commands));
  const epochs = new Map(parsed.data.epochs);
  return {
    judge(command) {
      if (commands.has(command.id)) return 'seen';
      // The same epoch twice is two commands for one turn: only the first one counts.
      return command.epoch <= (epochs.get(command.targetId) ?? -1) ? 'older_epoch' : 'new';
    },
    remember(command, now) {
      for (const [id, until] of commands) if (until < now) commands.delete(id);
      commands.set(command.id, command.expiresAt + REMEMBER_AFTER_EXPIRY_MS);
      // Taken out and put in again: the map is in order of use, its first are the oldest.
      const highest = Math.max(command.epoch, epochs.get(command.targetId) ?? -1);
      epochs.delete(command.targetId);
      epochs.set(command.targetId, highest);
      for (const target of epochs.keys()) {
        if (epochs.size <= MAX_EPOCHS) break;
        epochs.delete(target);
      }
      writeDurably(path, JSON.stringify({ commands: Object.fromEntries(commands), epochs: [...epochs] }));
    },
  };
}
