// The row of an engine's one worker, as GET /workers lists it.
import { listWorkers, type WorkerRow } from '../../src/db/queries/workers';
import type { Engine } from './engine';

export async function findWorker(engine: Engine): Promise<WorkerRow> {
  const [worker] = await listWorkers(engine.db, { limit: 1 });
  if (!worker) throw new Error('there is no worker');
  return worker;
}
