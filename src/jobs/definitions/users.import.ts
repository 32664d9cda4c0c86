// Creates and updates accounts by e-mail from rows of email, name and role. It touches nothing but our database, so each row
// takes effect exactly once, whatever is killed: accounts and their audit commit together with the chunk.
import { z } from 'zod';
import { insertAudits, type NewAudit } from '../../db/queries/audit';
import { insertAccounts, lockAccounts, updateAccounts, type ImportedAccount } from '../../db/queries/userImport';
import type { UserRole } from '../../db/generated/database';
import { newId } from '../../lib/ids';
import {
  defineMassAction,
  type ChunkContext,
  type JsonObject,
  type PreviewRow,
  type Row,
  type RowResult,
} from '../define';
import { requireSuperadmin } from '../massActions/requireSuperadmin';
import { wavesOf } from '../massActions/wavesOf';

const ROLES: UserRole[] = ['user', 'power_user', 'superadmin'];

export const usersImport = defineMassAction({
  kind: 'users.import',
  title: 'Import users',
  menu: ['Users', 'Import'],
  roles: ['superadmin'],
  scope: 'admin',
  params: z.strictObject({}),
  rowSchema: {
    type: 'object',
    required: ['email', 'name'],
    properties: {
      email: { type: 'string', format: 'email', maxLength: 320 },
      name: { type: 'string', minLength: 1, maxLength: 200 },
      role: { enum: [...ROLES, ''], description: 'empty or left out: user for new accounts, unchanged for others' },
    },
  },
  chunkSize: 200,
  concurrency: 4,
  inDatabase: true,
  retry: { attempts: 5, minDelayMs: 200, maxDelayMs: 5000 },
  ratePerSecond: null,
  processChunk: async (ctx, rows) => ({ type: 'done', results: (await importRows(ctx, rows)).map(resultOf) }),
  previewChunk: (ctx, rows) => importRows(ctx, rows),
});

/** What became of each row. */
async function importRows(ctx: ChunkContext<unknown>, rows: Row[]): Promise<PreviewRow[]> {
  const { tx } = ctx;
  if (!tx) throw new Error('users.import works inside the transaction of its chunk');
  await requireSuperadmin(tx, ctx.owner);
  const judged: PreviewRow[] = [];
  const audits: NewAudit[] = [];
  const audit = (action: string, account: ImportedAccount, before?: JsonObject): void => {
    audits.push({
      actor: { id: ctx.owner.id, name: ctx.owner.name },
      action,
      subjectType: 'user',
      subjectId: account.id,
      before,
      after: shown(account),
      reason: `row of job ${ctx.jobId}`,
      jobId: ctx.jobId,
    });
  };
  for (const wave of wavesOf(rows, (row) => String(row.data['email']).toLowerCase())) {
    const made = await insertAccounts(
      tx,
      [...wave].map(([email, row]) => ({ id: newId(), email, name: nameOf(row), role: roleOf(row) ?? 'user' })),
    );
    made.forEach((account) => {
      audit('user.create', account);
      judged.push({ rowIndex: (wave.get(account.email) as Row).rowIndex, before: null, after: shown(account) });
      wave.delete(account.email);
    });
    const changed: ImportedAccount[] = [];
    for (const before of await lockAccounts(tx, [...wave.keys()])) {
      const row = wave.get(before.email) as Row;
      const after = { ...before, name: nameOf(row), role: roleOf(row) ?? before.role };
      const was = { rowIndex: row.rowIndex, before: shown(before) };
      if (after.name === before.name && after.role === before.role) {
        judged.push({ ...was, after: was.before, skipped: true });
      } else if (before.id === ctx.owner.id && after.role !== before.role) {
        judged.push({ ...was, after: null, refusal: OWN_ROLE });
      } else {
        changed.push(after);
        audit('user.change', after, was.before);
        judged.push({ ...was, after: shown(after) });
      }
    }
    await updateAccounts(tx, changed);
  }
  await insertAudits(tx, audits);
  return judged;
}

const OWN_ROLE = { code: 'own_role', message: 'Nobody changes the own role by an import.' };

function resultOf({ rowIndex, skipped, refusal }: PreviewRow): RowResult {
  if (refusal) return { rowIndex, success: false, ...refusal };
  return { rowIndex, success: true, ...(skipped ? { skipped } : {}) };
}

function shown({ email, name, role }: ImportedAccount): JsonObject {
  return { email, name, role };
}

function nameOf(row: Row): string {
  return String(row.data['name']);
}

function roleOf(row: Row): UserRole | null {
  return ROLES.find((role) => role === row.data['role']) ?? null;
}
