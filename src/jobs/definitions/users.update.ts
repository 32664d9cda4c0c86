// Changes accounts by e-mail: name, role, language and time zone, whichever a row gives. Exactly once in our database, with a
// preview of before and after, and an undo that leaves alone what somebody changed since.
import { z } from 'zod';
import type { UserRole } from '../../db/generated/database';
import { isTimeZone } from '../../lib/relativeTime';
import { defineMassAction, type Row } from '../define';
import {
  changeAccounts,
  previewAccounts,
  undoAccounts,
  type Fields,
  type Refusal,
} from '../massActions/workOnAccounts';

export const usersUpdate = defineMassAction({
  kind: 'users.update',
  title: 'Update users',
  menu: ['Users', 'Update'],
  roles: ['superadmin'],
  scope: 'admin',
  params: z.strictObject({}),
  rowSchema: {
    type: 'object',
    required: ['email'],
    properties: {
      email: { type: 'string', format: 'email', maxLength: 320 },
      name: { type: 'string', maxLength: 200, description: 'empty or left out: unchanged, as for all columns' },
      role: { enum: ['user', 'power_user', 'superadmin', ''] },
      language: { enum: ['en', 'fr', 'ko', ''] },
      timeZone: { type: 'string', maxLength: 60, description: 'such as Europe/Berlin' },
    },
  },
  chunkSize: 200,
  // Chunks would wait for each other: each holds the superadmins, so that the last one stays.
  concurrency: 1,
  inDatabase: true,
  retry: { attempts: 5, minDelayMs: 200, maxDelayMs: 5000 },
  ratePerSecond: null,
  processChunk: (ctx, rows) => changeAccounts(ctx, rows, judge),
  previewChunk: (ctx, rows) => previewAccounts(ctx, rows, judge),
  undoChunk: (ctx, rows) => undoAccounts(ctx, rows, wantedOf),
});

function judge(row: Row): Fields | Refusal {
  const wanted = wantedOf(row);
  if (wanted.timeZone === undefined || isTimeZone(wanted.timeZone)) return wanted;
  return { code: 'bad_time_zone', message: `"${wanted.timeZone}" is no time zone; take one such as Europe/Berlin.` };
}

function wantedOf({ data }: Row): Fields {
  const given = (column: string): string | null => {
    const text = typeof data[column] === 'string' ? data[column].trim() : '';
    return text === '' ? null : text;
  };
  const [name, role, language, timeZone] = ['name', 'role', 'language', 'timeZone'].map(given);
  return {
    ...(name ? { name } : {}),
    ...(role ? { role: role as UserRole } : {}),
    ...(language ? { language } : {}),
    ...(timeZone ? { timeZone } : {}),
  };
}
