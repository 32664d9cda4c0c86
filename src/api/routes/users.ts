// Users and tokens.
import { findUser, listUsers } from '../../db/queries/users';
import { listTokens } from '../../db/queries/tokens';
import { GantryError, notFound } from '../../lib/errors';
import { changeUser, createToken, createUser, removeToken, removeUser } from '../auth/accounts';
import { demandScope } from '../auth/authenticate';
import { refuseKnownPassword } from '../auth/passwords';
import { uuidCursor } from '../contract/common';
import { implement, type Route } from '../contract/endpoint';
import * as contract from '../contract/people';
import { paged } from '../paged';
import { presentToken, presentUser } from '../presenters/user';
import { versionOf } from '../router';

export const userRoutes: Route[] = [
  implement(contract.listUsers, ({ query, deps }) =>
    paged(
      query,
      uuidCursor,
      ({ after, limit }) => listUsers(deps.db, { after: after?.[0] ?? null, limit }),
      (row) => [row.id],
      (rows) => rows.map(presentUser),
    ),
  ),
  implement(contract.createUser, async ({ body, actor, deps }) => {
    if (body.password !== undefined) await refuseKnownPassword(body.password);
    return presentUser(await createUser(deps.db, actor, body));
  }),
  implement(contract.getUser, async ({ params, deps }) => {
    const user = await findUser(deps.db, params.userId);
    if (!user) throw notFound('user');
    return presentUser(user);
  }),
  implement(contract.changeUser, async ({ params, body, actor, deps, request }) => {
    if (body.password !== undefined) await refuseKnownPassword(body.password);
    return presentUser(await changeUser(deps.db, actor, params.userId, versionOf(request), body));
  }),
  implement(contract.deleteUser, async ({ params, actor, deps }) => {
    await removeUser(deps.db, actor, params.userId);
    return undefined;
  }),
  implement(contract.listTokens, ({ query, actor, deps }) => {
    const userId = actor.role === 'superadmin' ? null : actor.id;
    return paged(
      query,
      uuidCursor,
      ({ after, limit }) => listTokens(deps.db, { userId, after: after?.[0] ?? null, limit }),
      (row) => [row.id],
      (rows) => rows.map(presentToken),
    );
  }),
  implement(contract.createToken, async ({ body, actor, deps, request }) => {
    const userId = body.userId ?? actor.id;
    if (userId !== actor.id && actor.role !== 'superadmin') {
      throw new GantryError('forbidden', 'You may make tokens for yourself only; none was made.');
    }
    const own = request.caller?.scopes ?? null;
    // What the token in hand lacks, it does not hand on.
    for (const scope of body.scopes ?? []) demandScope(request, scope);
    const made = await createToken(deps.db, actor, {
      userId,
      name: body.name,
      expiresAt: body.expiresAt ? new Date(body.expiresAt) : null,
      scopes: body.scopes ?? (own === null ? null : [...own]),
    });
    return { ...presentToken(made.row), token: made.token };
  }),
  implement(contract.deleteToken, async ({ params, actor, deps }) => {
    await removeToken(deps.db, actor, params.tokenId);
    return undefined;
  }),
];
