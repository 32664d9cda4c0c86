// What the engine needs for a mass action from start to undo: approvals, commands on sets, undo, attempts, reports and
// figures, notices, saved filters and scopes. Additive only: the version before it goes on working beside it.
import { sql, type Kysely } from 'kysely';
import { APPROVALS } from './0003-engine/approvals';
import { BULK } from './0003-engine/bulk';
import { FAIRNESS } from './0003-engine/fairness';
import { NOTICES } from './0003-engine/notices';
import { PEOPLE } from './0003-engine/people';
import { RUNS } from './0003-engine/runs';
import { LOG_NUMBERS, SEEING } from './0003-engine/seeing';
import { UNDO } from './0003-engine/undo';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(LOG_NUMBERS + APPROVALS + BULK + FAIRNESS + UNDO + RUNS + SEEING + NOTICES + PEOPLE).execute(db);
}
