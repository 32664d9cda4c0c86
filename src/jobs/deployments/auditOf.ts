// The audit row of a change to a project and what belongs to it, in one line for the commands of this room.
import type { NewAudit } from '../../db/queries/audit';
import type { Actor } from '../actor';

export function auditOf(
  actor: Actor,
  action: string,
  subjectType: string,
  subjectId: number | string,
  what: { before?: unknown; after?: unknown; reason?: string | null } = {},
): NewAudit {
  return { actor, action, subjectType, subjectId: String(subjectId), ...what };
}
