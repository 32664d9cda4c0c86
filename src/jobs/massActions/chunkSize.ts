// How many rows a chunk of a new run gets: the kind's size, or for adaptive kinds as many as take about two seconds.
// Called when a run is made; its boundaries are frozen from then on.
import type { Db } from '../../db/database';
import { findPace } from '../../db/queries/chunkSizes';
import type { MassActionDefinition } from '../define';

/** Long enough that the cost of a chunk does not matter, short enough that pause, cancel and progress are felt at once. */
const AIM_MS = 2000;

export async function chunkSizeOf(db: Db, definition: MassActionDefinition): Promise<number> {
  const { kind, chunkSize, adaptive = false } = definition;
  const msPerRow = adaptive ? await findPace(db, kind) : null;
  if (msPerRow === null || msPerRow <= 0) return chunkSize;
  return Math.min(chunkSize, Math.max(1, Math.round(AIM_MS / msPerRow)));
}
