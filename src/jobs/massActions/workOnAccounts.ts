// What users.update and users.deactivate share: rows about accounts by their e-mail, judged, written, audited and reported; for the
// work itself, its preview and its undo. Works inside the chunk's transaction and touches nothing but our database.
import { insertAudits, type NewAudit } from '../../db/queries/audit';
import { lockSuperadmins } from '../../db/queries/users';
import { endSessionsOf, lockAccountsByEmail, saveAccounts, type Account } from '../../db/queries/userUpdate';
import type { ChunkContext, ChunkOutcome, JsonObject, PreviewRow, Row, UndoRow } from '../define';
import { requireSuperadmin } from './requireSuperadmin';
import { wavesOf } from './wavesOf';

/** The fields that rows may change. */
export type Fields = Partial<Pick<Account, 'name' | 'role' | 'language' | 'timeZone' | 'disabled'>>;
type Field = keyof Fields;

export interface Refusal {
  code: string;
  message: string;
}

/** What a row wants of an account. Fields that are so already count as nothing. */
export type Judge<R extends Row> = (row: R, account: Account) => Fields | Refusal;

interface JudgedRow {
  rowIndex: number;
  before: Account | null;
  after: Account | null;
  refusal: Refusal | null;
}

type Context = Pick<ChunkContext<unknown>, 'tx' | 'jobId' | 'owner'>;

export async function changeAccounts(ctx: Context, rows: Row[], judge: Judge<Row>): Promise<ChunkOutcome> {
  const judged = await workOnAccounts(ctx, rows, judge);
  return {
    type: 'done',
    results: judged.map(({ rowIndex, before, after, refusal }) => {
      if (refusal) return { rowIndex, success: false, ...refusal };
      if (!before || !after) return { rowIndex, success: true, skipped: true };
      return { rowIndex, success: true, before: { id: before.id, ...differing(before, after) } };
    }),
  };
}

export async function previewAccounts(ctx: Context, rows: Row[], judge: Judge<Row>): Promise<PreviewRow[]> {
  const judged = await workOnAccounts(ctx, rows, judge);
  return judged.map(({ rowIndex, before, after, refusal }) => ({
    rowIndex,
    before: before && shown(before),
    after: refusal ? null : before && shown(after ?? before),
    skipped: refusal === null && after === null,
    ...(refusal ? { refusal } : {}),
  }));
}

/** @param madeOf what the row had made of the account. */
export async function undoAccounts(
  ctx: Context,
  rows: UndoRow[],
  madeOf: (row: UndoRow) => Fields,
): Promise<ChunkOutcome> {
  return changeAccounts(ctx, rows, (row, account) => {
    const { id, ...was } = (row as UndoRow).before as { id: string } & Fields;
    return id === account.id ? putBack(account, was, madeOf(row as UndoRow)) : OTHER_ACCOUNT;
  });
}

const OTHER_ACCOUNT: Refusal = {
  code: 'changed_since',
  message: 'The account that this row changed is gone; another one has its address now and was left alone.',
};

function putBack(account: Account, was: Fields, made: Fields): Fields | Refusal {
  for (const field of Object.keys(was) as Field[]) {
    const now = account[field];
    if (now === was[field] || now === made[field]) continue;
    const [before, then, since] = [was[field], made[field], now].map((value) => JSON.stringify(value));
    return {
      code: 'changed_since',
      message: `${field} was ${before}, this job made it ${then}, and since then somebody made it ${since}: it was left so, and did not become ${before} again.`,
    };
  }
  return was;
}

/** In the order of the waves. Nothing is written for rows that are refused, or find all as they want it. */
async function workOnAccounts(ctx: Context, rows: Row[], judge: Judge<Row>): Promise<JudgedRow[]> {
  const { tx, owner } = ctx;
  if (!tx) throw new Error('accounts are changed inside the transaction of a chunk');
  await lockSuperadmins(tx);
  await requireSuperadmin(tx, owner);
  const judged: JudgedRow[] = [];
  const audits: NewAudit[] = [];
  for (const wave of wavesOf(rows, emailOf)) {
    const accounts = new Map((await lockAccountsByEmail(tx, [...wave.keys()])).map((each) => [each.email, each]));
    const changed: Account[] = [];
    const signedOut: string[] = [];
    for (const [email, row] of wave) {
      const { rowIndex } = row;
      const before = accounts.get(email) ?? null;
      const verdict = before ? judge(row, before) : unknownUser(email);
      const after = before && !isRefusal(verdict) ? { ...before, ...verdict } : null;
      const refusal = isRefusal(verdict) ? verdict : before && after && refusalOf(before, after, owner.id);
      if (!before || !after || refusal || Object.keys(differing(before, after)).length === 0) {
        judged.push({ rowIndex, before, after: null, refusal });
        continue;
      }
      changed.push(after);
      if (after.role !== before.role || after.disabled) signedOut.push(after.id);
      audits.push(auditOf(ctx, before, after));
      judged.push({ rowIndex, before, after, refusal: null });
    }
    await saveAccounts(tx, changed);
    await endSessionsOf(tx, signedOut);
  }
  await insertAudits(tx, audits);
  return judged;
}

/** The owner is a superadmin and stays one, so the last one is never taken away. */
function refusalOf(before: Account, after: Account, ownerId: string): Refusal | null {
  if (before.id === ownerId && after.role !== before.role) {
    return { code: 'own_role', message: 'Nobody changes the own role; ask another superadmin.' };
  }
  if (before.id === ownerId && after.disabled && !before.disabled) {
    return { code: 'own_account', message: 'Nobody deactivates the own account; ask another superadmin.' };
  }
  return null;
}

function auditOf({ owner, jobId }: Context, before: Account, after: Account): NewAudit {
  return {
    actor: { id: owner.id, name: owner.name },
    action: 'user.change',
    subjectType: 'user',
    subjectId: before.id,
    before: shown(before),
    after: shown(after),
    reason: `row of job ${jobId}`,
    jobId,
  };
}

const FIELDS = ['name', 'role', 'language', 'timeZone', 'disabled'] as const satisfies Field[];

/** The fields of `one` that are different in `other`. */
function differing(one: Account, other: Account): Fields {
  return Object.fromEntries(FIELDS.filter((field) => one[field] !== other[field]).map((field) => [field, one[field]]));
}

function shown({ email, name, role, language, timeZone, disabled }: Account): JsonObject {
  return { email, name, role, language, timeZone, disabled };
}

function isRefusal(verdict: Fields | Refusal): verdict is Refusal {
  return 'code' in verdict;
}

function unknownUser(email: string): Refusal {
  return { code: 'unknown_user', message: `There is no account of ${email}.` };
}

function emailOf(row: Row): string {
  return String(row.data['email']).trim().toLowerCase();
}
