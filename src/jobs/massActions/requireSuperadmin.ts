// Work on accounts needs the rights that its owner has now: a job may wait for weeks, and who was demoted since makes no superadmins
// by it. Called by the kinds users.*, first in the transaction of a chunk.
import type { Tx } from '../../db/database';
import { findUser } from '../../db/queries/users';
import { PermanentJobError } from '../../lib/errors';

export async function requireSuperadmin(tx: Tx, owner: { id: string }): Promise<void> {
  const user = await findUser(tx, owner.id);
  if (user?.role === 'superadmin' && user.disabledAt === null) return;
  throw new PermanentJobError(
    'forbidden',
    'Whoever started this job is no superadmin any more, so its rows were left alone. A superadmin may resubmit it.',
  );
}
