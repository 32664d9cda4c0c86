// Agents and their one-use enrolment tokens, of which only the hash is kept. Called by the agent commands and the gateway.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';

export interface AgentRow {
  id: string;
  name: string;
  labels: string;
  publicKey: string;
  host: string | null;
  programVersion: string | null;
  enrolledAt: Date;
  lastSeenAt: Date | null;
  revokedAt: Date | null;
  connected: boolean;
}

const CONNECTED = sql<boolean>`(agent.revoked_at is null and coalesce(agent.connected_until > gantry_now(), false))`;

function agents(db: Db) {
  return db
    .selectFrom('agent')
    .select([
      'agent.id',
      'agent.name',
      'agent.labels',
      'agent.publicKey',
      'agent.host',
      'agent.programVersion',
      'agent.enrolledAt',
      'agent.lastSeenAt',
      'agent.revokedAt',
      CONNECTED.as('connected'),
    ]);
}

export async function findAgent(db: Db, id: string): Promise<AgentRow | null> {
  return (await agents(db).where('agent.id', '=', id).executeTakeFirst()) ?? null;
}

/** By id, which sorts by time of birth; revoked ones stay in the list with their date. */
export function listAgents(db: Db, page: { after: string | null; limit: number }): Promise<AgentRow[]> {
  return agents(db)
    .$if(page.after !== null, (query) => query.where('agent.id', '>', page.after ?? ''))
    .orderBy('agent.id')
    .limit(page.limit)
    .execute();
}

/** Agents that may be deployed to: by name, or by carrying all the labels. Ordered by name, so that a sequence is the same each time. */
export async function findTargets(
  db: Db,
  target: { agents?: string[]; labels?: Record<string, string> },
): Promise<Pick<AgentRow, 'id' | 'name'>[]> {
  const names = target.agents ?? [];
  const labels = target.labels ?? {};
  const rows = await db
    .selectFrom('agent')
    .select(['id', 'name'])
    .where('revokedAt', 'is', null)
    .where(({ or, eb }) =>
      or([
        eb('name', 'in', names.length > 0 ? names : ['']),
        Object.keys(labels).length > 0
          ? sql<boolean>`labels::jsonb @> ${JSON.stringify(labels)}::jsonb`
          : sql<boolean>`false`,
      ]),
    )
    .orderBy('name')
    .execute();
  // Agents named by the stage keep the stage's order; those found by label follow by name.
  const rank = new Map(names.map((name, index) => [name, index]));
  return rows.sort((a, b) => (rank.get(a.name) ?? names.length) - (rank.get(b.name) ?? names.length));
}

export async function agentNameTaken(db: Db, name: string): Promise<boolean> {
  const row = await db
    .selectFrom('agent')
    .select('id')
    .where('name', '=', name)
    .where('revokedAt', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

export async function insertEnrolment(
  db: Db,
  enrolment: { id: string; tokenHash: Buffer; name: string; labels: string; createdBy: string; minutes: number },
): Promise<Date> {
  const { minutes, ...values } = enrolment;
  const row = await db
    .insertInto('agentEnrolment')
    .values({ ...values, expiresAt: sql<Date>`gantry_now() + make_interval(mins => ${minutes})` })
    .returning('expiresAt')
    .executeTakeFirstOrThrow();
  return row.expiresAt;
}

/** Spends the token: of two parallel uses one gets the row. Null: unknown, used or expired. */
export async function useEnrolment(
  tx: Tx,
  tokenHash: Buffer,
): Promise<{ name: string; labels: string; createdBy: string } | null> {
  const row = await tx
    .updateTable('agentEnrolment')
    .set({ usedAt: sql<Date>`gantry_now()` })
    .where('tokenHash', '=', tokenHash)
    .where('usedAt', 'is', null)
    .where('expiresAt', '>', sql<Date>`gantry_now()`)
    .returning(['name', 'labels', 'createdBy'])
    .executeTakeFirst();
  return row ?? null;
}

/** The agent that this key enrolled with this token, while the token would still be good. */
export async function findEnrolledAgent(
  db: Db,
  tokenHash: Buffer,
  publicKey: string,
): Promise<{ id: string; name: string } | null> {
  const row = await db
    .selectFrom('agentEnrolment')
    .innerJoin('agent', 'agent.name', 'agentEnrolment.name')
    .select(['agent.id', 'agent.name'])
    .where('agentEnrolment.tokenHash', '=', tokenHash)
    .where('agentEnrolment.expiresAt', '>', sql<Date>`gantry_now()`)
    .where('agent.publicKey', '=', publicKey)
    .where('agent.revokedAt', 'is', null)
    .executeTakeFirst();
  return row ?? null;
}

/** Null when the name is taken meanwhile. */
export async function insertAgent(
  tx: Tx,
  agent: {
    id: string;
    name: string;
    labels: string;
    publicKey: string;
    host: string | null;
    programVersion: string | null;
  },
): Promise<string | null> {
  const row = await tx
    .insertInto('agent')
    .values(agent)
    .onConflict((conflict) => conflict.column('name').where('revokedAt', 'is', null).doNothing())
    .returning('id')
    .executeTakeFirst();
  return row?.id ?? null;
}

/** An agent that proved itself: what it says of itself, and that it is there for the next seconds. */
export async function markConnected(
  db: Db,
  id: string,
  seconds: number,
  facts: { host: string; programVersion: string },
): Promise<boolean> {
  const result = await db
    .updateTable('agent')
    .set({
      connectedUntil: sql<Date>`gantry_now() + make_interval(secs => ${seconds})`,
      lastSeenAt: sql<Date>`gantry_now()`,
      ...facts,
    })
    .where('id', '=', id)
    .where('revokedAt', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Refreshes all connections of this process at once. @returns those that may stay; the others are revoked and must be cut. */
export async function refreshConnected(db: Db, ids: string[], seconds: number): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db
    .updateTable('agent')
    .set({
      connectedUntil: sql<Date>`gantry_now() + make_interval(secs => ${seconds})`,
      lastSeenAt: sql<Date>`gantry_now()`,
    })
    .where('id', 'in', ids)
    .where('revokedAt', 'is', null)
    .returning('id')
    .execute();
  return new Set(rows.map((row) => row.id));
}

export async function markDisconnected(db: Db, id: string): Promise<void> {
  await db.updateTable('agent').set({ connectedUntil: null }).where('id', '=', id).execute();
}

/** False when there is no such agent that is not revoked yet. */
export async function revokeAgent(db: Db, id: string): Promise<boolean> {
  const result = await db
    .updateTable('agent')
    .set({ revokedAt: sql<Date>`gantry_now()`, connectedUntil: null })
    .where('id', '=', id)
    .where('revokedAt', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** The value kept under this name; `made` if there was none. Of two first starts at once, one value stands for both. */
export async function keepSetting(db: Db, name: string, made: string): Promise<string> {
  await db
    .insertInto('setting')
    .values({ name, value: made })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const row = await db.selectFrom('setting').select('value').where('name', '=', name).executeTakeFirstOrThrow();
  return row.value;
}

export async function findSetting(db: Db, name: string): Promise<string | null> {
  const row = await db.selectFrom('setting').select('value').where('name', '=', name).executeTakeFirst();
  return row?.value ?? null;
}
