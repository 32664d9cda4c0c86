// The rules by which a request for approval is decided: what may be set, and what holds where nothing is set.
// Read by the catalogue (a definition's own rules), by operations (theirs) and by requestApproval.
import { z } from 'zod';
import type { ApprovalRules, Definition } from '../define';

const DAY_MS = 86_400_000;
const MAX_PEOPLE = 50;

export const approvalRules = z
  .strictObject({
    quorum: z.int().min(1).max(MAX_PEOPLE).optional(),
    approvers: z.array(z.email().max(320).toLowerCase()).min(1).max(MAX_PEOPLE).optional(),
    expiresAfterMs: z
      .int()
      .min(1000)
      .max(366 * DAY_MS)
      .optional(),
  })
  .superRefine(({ quorum = 1, approvers }, context) => {
    if (!approvers) return;
    const people = new Set(approvers).size;
    if (people < approvers.length) {
      context.addIssue({ code: 'custom', path: ['approvers'], message: 'names the same address twice' });
    }
    if (quorum > people) {
      context.addIssue({ code: 'custom', path: ['quorum'], message: `takes at most the ${people} who may approve` });
    }
  });

export interface HeldRules {
  quorum: number;
  /** Lower-case e-mail addresses; null: every superadmin. */
  approvers: string[] | null;
  expiresAfterMs: number;
}

export function rulesOf(rules: ApprovalRules | undefined): HeldRules {
  const { quorum = 1, approvers, expiresAfterMs = 7 * DAY_MS } = rules ?? {};
  return { quorum, approvers: approvers?.map((email) => email.toLowerCase()) ?? null, expiresAfterMs };
}

/** @throws Error that names the kind whose rules nobody could meet. */
export function checkRules({ kind, approval }: Definition): void {
  const parsed = approvalRules.safeParse(approval ?? {});
  if (parsed.success) return;
  const [issue] = parsed.error.issues;
  throw new Error(`the job kind "${kind}" has wrong rules of approval: ${issue?.path.join('.')} ${issue?.message}`);
}
