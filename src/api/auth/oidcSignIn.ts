// Whom the provider brings back -> the account that signs in: found by subject, first by a verified address, else made.
// The role follows the groups at each sign-in. Refusals are codes that the sign-in page puts into words.
import type { Request } from 'express';
import { roleOfGroups, type OidcConfig } from '../../config/oidc';
import { insertAudit } from '../../db/queries/audit';
import { findUserIdOfIdentity, insertIdentity } from '../../db/queries/oidcIdentities';
import { findUser, findUserByEmail, type UserRow } from '../../db/queries/users';
import type { Actor } from '../../jobs/actor';
import { cleanText, GantryError, messageOf } from '../../lib/errors';
import type { ApiDeps } from '../apiDeps';
import { changeUser, createUser } from './accounts';
import type { OidcPerson } from './oidcClient';
import { openSession } from './signIn';

export type OidcRefusal =
  | 'oidc_denied'
  | 'oidc_expired'
  | 'oidc_failed'
  | 'oidc_unverified'
  | 'oidc_no_role'
  | 'oidc_other_person'
  | 'oidc_closed'
  | 'oidc_last_superadmin';

class Refusal extends Error {
  override name = 'Refusal';
  constructor(readonly code: OidcRefusal) {
    super(code);
  }
}

/** A way back later than this belongs to a page that was left open. */
const PENDING_MS = 10 * 60_000;

/** @returns where the browser goes on, or why it may not. */
export async function finishOidcSignIn(
  deps: ApiDeps,
  request: Request,
): Promise<{ returnTo: string } | { refused: OidcRefusal }> {
  const oidc = deps.oidc;
  const pending = request.session.oidc;
  // Gone before it is tried: a way back is taken once.
  delete request.session.oidc;
  try {
    if (!oidc || !pending || Date.now() - pending.startedAt > PENDING_MS) throw new Refusal('oidc_expired');
    if (request.query['error'] === 'access_denied') throw new Refusal('oidc_denied');
    const person = await oidc.finish(pending, request.originalUrl);
    const user = await accountOf(deps, request, oidc.config, person);
    await openSession(deps, request, user, { by: 'oidc', issuer: person.issuer });
    return { returnTo: pending.returnTo };
  } catch (error) {
    const refused = error instanceof Refusal ? error.code : 'oidc_failed';
    deps.logger.warn(
      { requestId: request.id, address: request.ip, code: refused, error: messageOf(error, 300) },
      'a sign-in by the provider was refused',
    );
    deps.denials.note(request, { status: 401, code: refused });
    return { refused };
  }
}

async function accountOf(deps: ApiDeps, request: Request, config: OidcConfig, person: OidcPerson): Promise<UserRow> {
  const known = await findUserIdOfIdentity(deps.db, person.issuer, person.subject);
  if (known === null && (!person.email || !person.isEmailVerified)) throw new Refusal('oidc_unverified');
  const found = known === null ? await findUserByEmail(deps.db, person.email ?? '') : await findUser(deps.db, known);
  if (found?.disabledAt) throw new Refusal('oidc_closed');
  const role = roleOfGroups(config, person.groups);
  if (role === null) throw new Refusal('oidc_no_role');
  const actor: Actor = {
    id: found?.id ?? '00000000-0000-0000-0000-000000000000',
    name: 'Sign-in by the provider',
    email: '',
    role: 'superadmin',
    requestId: request.id,
  };
  const user = found ?? (await createUser(deps.db, actor, newAccount(person, role)));
  if (known === null) await link(deps, actor, person, user);
  if (user.role === role) return user;
  return changeUser(deps.db, actor, user.id, user.version, { role }).catch((error: unknown) => {
    throw error instanceof GantryError && error.code === 'in_use' ? new Refusal('oidc_last_superadmin') : error;
  });
}

function newAccount(person: OidcPerson, role: UserRow['role']) {
  const email = cleanText(person.email ?? '').slice(0, 320);
  return { email, name: cleanText(person.name ?? email).slice(0, 200), role };
}

async function link(deps: ApiDeps, actor: Actor, person: OidcPerson, user: UserRow): Promise<void> {
  const { issuer, subject } = person;
  await deps.db.transaction().execute(async (tx) => {
    if (!(await insertIdentity(tx, issuer, subject, user.id))) throw new Refusal('oidc_other_person');
    await insertAudit(tx, {
      actor,
      action: 'user.link',
      subjectType: 'user',
      subjectId: user.id,
      after: { issuer, subject },
    });
  });
}
