// Learns how long a row of an adaptive kind takes: chunks of later runs are sized by it. Called round the work on one chunk.
import { learnPace } from '../../db/queries/chunkSizes';
import { withRetry } from '../../db/retry';
import type { MassActionDefinition } from '../../jobs/define';
import type { RunnerDeps } from './runnerDeps';

/** Tries that came to no result teach nothing; nor does undo, which is other work. */
export async function measurePace(
  deps: RunnerDeps,
  definition: MassActionDefinition,
  work: (measured: MassActionDefinition) => Promise<void>,
): Promise<void> {
  if (!definition.adaptive) return work(definition);
  let msPerRow: number | null = null;
  const measured: MassActionDefinition = {
    ...definition,
    processChunk: async (context, rows) => {
      const began = performance.now();
      const outcome = await definition.processChunk(context, rows);
      if (outcome.type === 'done') msPerRow = (performance.now() - began) / rows.length;
      return outcome;
    },
  };
  await work(measured);
  const learned = msPerRow;
  if (learned !== null) await withRetry(() => learnPace(deps.db, definition.kind, learned));
}
