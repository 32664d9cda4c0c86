// Whether a notice may go to an address because it is a user's own. Called by the commands that set a notice.
import type { Db } from '../database';

export async function isUserAddress(db: Db, email: string): Promise<boolean> {
  const row = await db.selectFrom('appUser').select('id').where('email', '=', email.toLowerCase()).executeTakeFirst();
  return row !== undefined;
}
