// Who acts: every command takes one and every audit row names one. Built by the API from the session or token,
// by the CLI, and by maintenance as SYSTEM_ACTOR.
import type { UserRole } from '../db/generated/database';

export interface Actor {
  id: string;
  name: string;
  email: string;
  role: UserRole;
  requestId?: string;
  /** What the token that calls is limited to; left out: all that the role may do. */
  scopes?: readonly string[];
}

/** Gantry itself: the nil UUID is nobody's, so that its doings are told apart in the audit. */
export const SYSTEM_ACTOR: Actor = {
  id: '00000000-0000-0000-0000-000000000000',
  name: 'Gantry',
  email: '',
  role: 'superadmin',
};
