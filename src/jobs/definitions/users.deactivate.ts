// Closes accounts by e-mail: their sessions end at once and nobody signs in with them. Its undo opens them again.
import { z } from 'zod';
import { defineMassAction } from '../define';
import { changeAccounts, previewAccounts, undoAccounts, type Fields } from '../massActions/workOnAccounts';

const closed = (): Fields => ({ disabled: true });

export const usersDeactivate = defineMassAction({
  kind: 'users.deactivate',
  title: 'Deactivate users',
  menu: ['Users', 'Deactivate'],
  roles: ['superadmin'],
  scope: 'admin',
  params: z.strictObject({}),
  rowSchema: {
    type: 'object',
    required: ['email'],
    properties: { email: { type: 'string', format: 'email', maxLength: 320 } },
  },
  chunkSize: 200,
  // As users.update.
  concurrency: 1,
  inDatabase: true,
  retry: { attempts: 5, minDelayMs: 200, maxDelayMs: 5000 },
  ratePerSecond: null,
  processChunk: (ctx, rows) => changeAccounts(ctx, rows, closed),
  previewChunk: (ctx, rows) => previewAccounts(ctx, rows, closed),
  undoChunk: (ctx, rows) => undoAccounts(ctx, rows, closed),
});
