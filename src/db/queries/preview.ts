// A preview stands back for real work: it waits for no lock and runs no statement for long. Called first in its transaction.
import { sql } from 'kysely';
import type { Tx } from '../database';

export async function standBack(tx: Tx): Promise<void> {
  await sql`select set_config('lock_timeout', '2s', true), set_config('statement_timeout', '15s', true)`.execute(tx);
}

/** Whether an error says that the preview stood back for too long. */
export function hasStoodBack(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === '55P03' || code === '57014';
}
