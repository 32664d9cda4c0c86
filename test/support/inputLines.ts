// The rows of a job as they are stored, one line a row, with what must hold of the chunks they are stored in.
import type { Db } from '../../src/db/database';

export async function inputLines(db: Db, jobId: string): Promise<string[]> {
  const inputs = await db.selectFrom('jobInput').selectAll().where('jobId', '=', jobId).orderBy('inputChunk').execute();
  let next = 0;
  for (const input of inputs) {
    expect(input.firstRowIndex).toBe(next);
    expect(input.rows.split('\n')).toHaveLength(input.rowCount);
    next += input.rowCount;
  }
  return inputs.flatMap((input) => input.rows.split('\n'));
}
