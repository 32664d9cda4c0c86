// Who a notice may be sent to: users' own addresses, and for power users and superadmins the allowed mail domains.
// Called by createJob and setNotify, so that nobody turns Gantry into a way to mail strangers.
import { isUserAddress } from '../../db/queries/recipients';
import { GantryError, invalid } from '../../lib/errors';
import { isPlainAddress } from '../../notices/address';
import type { Actor } from '../actor';
import { isBadText } from '../badText';
import type { CommandDeps } from '../commandDeps';

/** @throws GantryError invalid or forbidden. */
export async function checkRecipient(deps: CommandDeps, actor: Actor, to: string): Promise<void> {
  const fault = (message: string): GantryError => invalid([{ path: 'notify.to', message }]);
  if (isBadText(to) || !isPlainAddress(to)) throw fault('is no e-mail address');
  if (to.toLowerCase() === actor.email.toLowerCase() || (await isUserAddress(deps.db, to))) return;
  if (actor.role === 'user') {
    throw new GantryError(
      'forbidden',
      "Your role may have notices sent to users' own addresses only. Nothing was changed; leave notify.to out to be told yourself.",
    );
  }
  const domain = to.slice(to.lastIndexOf('@') + 1).toLowerCase();
  if (deps.settings.mailAllowDomains.some((allowed) => allowed.toLowerCase() === domain)) return;
  throw fault(`is no user's address, and the domain "${domain}" is not allowed (MAIL_ALLOW_DOMAINS)`);
}
