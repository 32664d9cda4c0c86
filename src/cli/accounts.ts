// `gantry user create` and `gantry token create`: for the operator at the machine, who may read the database anyway.
// What they answer goes to standard output alone, so that scripts can take it; everything else to standard error.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { createToken as makeToken, createUser as makeUser } from '../api/auth/accounts';
import { isKnownPassword } from '../api/auth/passwords';
import { loadConfig } from '../config/config';
import type { Database } from '../db/database';
import { findUserByEmail } from '../db/queries/users';
import { SYSTEM_ACTOR, type Actor } from '../jobs/actor';
import { createLogger } from '../lib/logger';
import { CliError, EXIT } from './exitCodes';
import { openLedger } from './openLedger';
import { listenForEnd } from './untilSignal';

const OPERATOR: Actor = { ...SYSTEM_ACTOR, name: 'Gantry (command line)' };

const newUser = z.object({
  email: z.email('--email takes an e-mail address'),
  name: z.string().trim().min(1, '--name takes at least one character').max(200, '--name takes at most 200 characters'),
  role: z.enum(['user', 'power_user', 'superadmin'], '--role takes user, power_user or superadmin'),
  password: z
    .string()
    .min(8, '--password takes at least 8 characters')
    .max(256, '--password takes at most 256 characters')
    .optional(),
});

export async function createUser(options: {
  email: string;
  name: string;
  role: string;
  password?: string;
}): Promise<void> {
  const parsed = newUser.safeParse(options);
  if (!parsed.success) throw new Error(parsed.error.issues.map((issue) => issue.message).join('\n'));
  if (parsed.data.password !== undefined && (await isKnownPassword(parsed.data.password)))
    throw new Error('--password is one of those that attackers try first; no account was made. Choose another.');
  const password = parsed.data.password ?? randomBytes(12).toString('base64url');
  await onLedger(async ({ kysely }) => {
    const user = await makeUser(kysely, OPERATOR, { ...parsed.data, password });
    console.error(`Made the account of ${user.email} (${user.role}).`);
    if (parsed.data.password === undefined) console.log(`password: ${password}`);
  });
}

export async function createToken(options: {
  user: string;
  name: string;
  expiresAt?: string;
  json?: boolean;
}): Promise<void> {
  const expiresAt = options.expiresAt === undefined ? null : new Date(options.expiresAt);
  if (expiresAt && !(expiresAt > new Date())) {
    throw new CliError('--expires-at takes a time to come, such as 2030-01-31T00:00:00Z', EXIT.usage);
  }
  await onLedger(async ({ kysely }) => {
    const user = await findUserByEmail(kysely, options.user);
    if (!user) throw new Error(`There is no account of ${options.user}. Make it first: gantry user create --email …`);
    const made = await makeToken(kysely, OPERATOR, { userId: user.id, name: options.name, expiresAt });
    console.log(options.json ? JSON.stringify({ token: made.token }) : made.token);
  });
}

async function onLedger(work: (database: Database) => Promise<void>): Promise<void> {
  const config = loadConfig();
  const end = listenForEnd(() => undefined);
  const logger = createLogger({ level: 'warn', name: 'gantry' });
  const ledger = await openLedger(config, logger, { server: 'any', signal: end.signal });
  try {
    await work(ledger.database);
  } finally {
    await ledger.stop();
    end.release();
  }
}
