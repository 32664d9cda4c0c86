// Signing in and out, and the caller's own account.
import { GantryError } from '../../lib/errors';
import { changeUser } from '../auth/accounts';
import { refuseKnownPassword } from '../auth/passwords';
import { endSession, newSession, signIn, userOfPassword } from '../auth/signIn';
import { implement, type Route } from '../contract/endpoint';
import * as contract from '../contract/people';
import { presentMe } from '../presenters/user';
import { versionOf } from '../router';

export const accountRoutes: Route[] = [
  implement(contract.signIn, async ({ body, request, deps }) => ({
    user: presentMe(await signIn(deps, request, body.email, body.password)),
  })),
  implement(contract.signOut, async ({ request }) => {
    await endSession(request);
    return undefined;
  }),
  implement(contract.getMe, async ({ request }) => presentMe(request.caller!.user)),
  implement(contract.changeMe, async ({ body, actor, deps, request }) => {
    const { currentPassword, ...change } = body;
    if (change.password !== undefined) {
      await refuseKnownPassword(change.password);
      if ((await userOfPassword(deps, request, actor.email, currentPassword ?? '')) !== actor.id) {
        throw new GantryError('forbidden', 'The current password is not right; nothing was changed.');
      }
    }
    const user = await changeUser(deps.db, actor, actor.id, versionOf(request), change);
    // A new password ended all sessions; the one in hand goes on under a new id.
    if (change.password !== undefined && request.caller?.by === 'session') await newSession(request, user.id);
    return presentMe(user);
  }),
];
