// Ends sessions of the database whose work was given up, so that their locks do not outlive it. Called by workers/runner and
// workers/isolate for handlers that did not heed their signal.
import { sql } from 'kysely';
import type { Db } from '../database';

export async function endSession(db: Db, pid: number): Promise<void> {
  await sql`select pg_terminate_backend(${pid}::int)`.execute(db);
}

/** Every session of a process that was killed: the server would notice only at the end of its statement. */
export async function endSessionsNamed(db: Db, applicationName: string): Promise<void> {
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = ${applicationName} and datname = current_database()`.execute(db);
}
