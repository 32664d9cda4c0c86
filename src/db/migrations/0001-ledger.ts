// The ledger: jobs, runs, chunks, input, outcomes, events, log, outbox, notices, audit, people, operations, workers.
// Forward only and never changed once released; a later migration never breaks the version still running.
import { sql, type Kysely } from 'kysely';
import { JOBS } from './0001-ledger/jobs';
import { CLOCK, PEOPLE } from './0001-ledger/people';
import { DELIVERY, NOTICES, RECORDS } from './0001-ledger/records';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(CLOCK + PEOPLE + JOBS + DELIVERY + NOTICES + RECORDS).execute(db);
}
