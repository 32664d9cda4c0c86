// Users and tokens.
import { findUser, listUsers } from '../../db/queries/users';
import { listTokens } from '../../db/queries/tokens';
import { GantryError, notFound } from '../../lib/errors';
import { changeUser, createToken, createUser, removeToken, removeUser } from '../auth/accounts';
import { decodeCursor, encodeCursor } from '../contract/common';
import { implement, type Route } from '../contract/endpoint';
import * as contract from '../contract/people';
import { presentToken, presentUser } from '../presenters/user';
import { versionOf } from '../router';
import { badCursor } from './jobs';

function afterOf(cursor: string | undefined): { createdAt: string; id: string } | null {
  const values = decodeCursor(cursor, 2);
  if (cursor !== undefined && !values) throw badCursor();
  return values ? { createdAt: String(values[0]), id: String(values[1]) } : null;
}

function nextOf(rows: { createdAt: Date; id: string }[], limit: number): string | null {
  const last = rows[limit - 1];
  return rows.length > limit && last ? encodeCursor([last.createdAt.toISOString(), last.id]) : null;
}

export const userRoutes: Route[] = [
  implement(contract.listUsers, async ({ query, deps }) => {
    const rows = await listUsers(deps.db, { after: afterOf(query.cursor), limit: query.limit + 1 });
    return { items: rows.slice(0, query.limit).map(presentUser), nextCursor: nextOf(rows, query.limit) };
  }),
  implement(contract.createUser, async ({ body, actor, deps }) => presentUser(await createUser(deps.db, actor, body))),
  implement(contract.getUser, async ({ params, deps }) => {
    const user = await findUser(deps.db, params.userId);
    if (!user) throw notFound('user');
    return presentUser(user);
  }),
  implement(contract.changeUser, async ({ params, body, actor, deps, request }) =>
    presentUser(await changeUser(deps.db, actor, params.userId, versionOf(request), body)),
  ),
  implement(contract.deleteUser, async ({ params, actor, deps }) => {
    await removeUser(deps.db, actor, params.userId);
    return undefined;
  }),
  implement(contract.listTokens, async ({ query, actor, deps }) => {
    const userId = actor.role === 'superadmin' ? null : actor.id;
    const rows = await listTokens(deps.db, { userId, after: afterOf(query.cursor), limit: query.limit + 1 });
    return { items: rows.slice(0, query.limit).map(presentToken), nextCursor: nextOf(rows, query.limit) };
  }),
  implement(contract.createToken, async ({ body, actor, deps }) => {
    const userId = body.userId ?? actor.id;
    if (userId !== actor.id && actor.role !== 'superadmin') {
      throw new GantryError('forbidden', 'You may make tokens for yourself only; none was made.');
    }
    const made = await createToken(deps.db, actor, {
      userId,
      name: body.name,
      expiresAt: body.expiresAt ? new Date(body.expiresAt) : null,
    });
    return { ...presentToken(made.row), token: made.token };
  }),
  implement(contract.deleteToken, async ({ params, actor, deps }) => {
    await removeToken(deps.db, actor, params.tokenId);
    return undefined;
  }),
];
