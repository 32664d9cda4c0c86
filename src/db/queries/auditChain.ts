// The hash chain over the audit: each entry's hash covers the one before it and its row, so a row that is changed, removed or
// slipped in later shows. Built after the commit by the leader of maintenance, never by the commands, which wait for nobody.
import { createHash } from 'node:crypto';
import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { Db } from '../database';
import type { DB } from '../generated/database';

/** All of a row in one text that cannot be read in two ways. */
const ROW_TEXT: RawBuilder<string> = sql`json_build_array(id, (extract(epoch from at) * 1000000)::bigint, actor_id, actor_name,
  action, subject_type, subject_id, before::text, after::text, reason, request_id, job_id)::text`;

/** An id that is missing may belong to a transaction under way. None of ours lasts so long. */
const GAP = sql`interval '2 minutes'`;

function hashOf(before: Buffer, text: string): Buffer {
  return createHash('sha256').update(before).update(text).digest();
}

const FIRST = Buffer.alloc(32);

/** Chains up to `limit` rows in the order of their ids. @returns how many. */
export async function chainAudit(db: Kysely<DB>, limit: number): Promise<number> {
  return db.transaction().execute(async (tx) => {
    // Two leaders for a moment must not chain beside each other.
    await sql`select pg_advisory_xact_lock(hashtextextended('gantry:audit-chain', 0))`.execute(tx);
    const head = await findHead(tx);
    const { rows } = await sql<{ id: number; text: string; isSettled: boolean }>`
      select id, ${ROW_TEXT} as text, at < gantry_now() - ${GAP} as is_settled from audit
      where id > ${head?.auditId ?? 0} order by id limit ${limit}`.execute(tx);
    let { auditId, hash } = head ?? { auditId: 0, hash: FIRST };
    const entries: { auditId: number; hash: Buffer }[] = [];
    for (const row of rows) {
      if (row.id !== auditId + 1 && !row.isSettled) break;
      auditId = row.id;
      hash = hashOf(hash, row.text);
      entries.push({ auditId, hash });
    }
    if (entries.length > 0) await tx.insertInto('auditChain').values(entries).execute();
    return entries.length;
  });
}

async function findHead(db: Db): Promise<{ auditId: number; hash: Buffer } | null> {
  const head = await db
    .selectFrom('auditChain')
    .select(['auditId', 'hash'])
    .orderBy('auditId', 'desc')
    .limit(1)
    .executeTakeFirst();
  return head ?? null;
}

export interface ChainFault {
  id: number;
  what: 'changed' | 'removed' | 'slipped_in';
}

export interface ChainCheck {
  /** Entries that were looked at. */
  checked: number;
  faults: ChainFault[];
  /** The last entry looked at; whoever keeps its hash elsewhere knows later that nothing before it was rewritten. */
  last: { id: number; hash: string } | null;
  /** There are more entries after it. */
  more: boolean;
}

/** Looks at up to `limit` entries after the one of `after`. */
export async function verifyChain(db: Db, after: number, limit: number): Promise<ChainCheck> {
  const entries = await db
    .selectFrom('auditChain')
    .select(['auditId', 'hash'])
    .where('auditId', '>', after)
    .orderBy('auditId')
    .limit(limit + 1)
    .execute();
  const more = entries.length > limit;
  const looked = entries.slice(0, limit);
  const last = looked.at(-1);
  if (!last) return { checked: 0, faults: [], last: null, more: false };
  const { rows } = await sql<{ id: number; text: string }>`
    select id, ${ROW_TEXT} as text from audit where id > ${after} and id <= ${last.auditId} order by id`.execute(db);
  const texts = new Map(rows.map((row) => [row.id, row.text]));
  const faults: ChainFault[] = [];
  let before = await hashBefore(db, after);
  for (const { auditId: id, hash } of looked) {
    const text = texts.get(id);
    texts.delete(id);
    if (text === undefined) faults.push({ id, what: 'removed' });
    else if (!hashOf(before, text).equals(hash)) faults.push({ id, what: 'changed' });
    before = hash;
  }
  for (const id of texts.keys()) faults.push({ id, what: 'slipped_in' });
  const shown = { id: last.auditId, hash: last.hash.toString('hex') };
  return { checked: looked.length, faults: faults.sort((a, b) => a.id - b.id), last: shown, more };
}

async function hashBefore(db: Db, after: number): Promise<Buffer> {
  const row = await db
    .selectFrom('auditChain')
    .select('hash')
    .where('auditId', '<=', after)
    .orderBy('auditId', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.hash ?? FIRST;
}
