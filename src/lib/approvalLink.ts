// The one signed link in a mail that asks for approval: made when the mail is sent, checked when it is used. Pure.
// Only job, run and approver stand in it; the request's hash and end are signed along, so that it dies with the request.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { isUuid } from './ids';

export interface LinkSubject {
  jobId: string;
  run: number;
  approverId: string;
}

export interface SignedRequest extends LinkSubject {
  /** Hex. */
  requestHash: string;
  expiresAt: Date;
}

export interface ApprovalLinks {
  tokenFor(request: SignedRequest): string;
  /** @returns whom and what a token names; nothing is proved yet. Null for what can be none. */
  read(token: string): LinkSubject | null;
  isValid(token: string, request: SignedRequest): boolean;
}

export const APPROVAL_LINK_PATH = '/api/v1/approvals/link/';

/** An address as logs and the audit may hold it: who reads them must not decide by what they hold. */
export function hideLinkToken(address: string): string {
  const [before, token] = address.split(APPROVAL_LINK_PATH);
  return token === undefined ? address : `${before}${APPROVAL_LINK_PATH}[secret]`;
}

export function createApprovalLinks(secretKey: string): ApprovalLinks {
  // A key of its own for this purpose, so that no other signature passes for a link.
  const key = Buffer.from(hkdfSync('sha256', Buffer.from(secretKey, 'hex'), '', 'gantry/approval-link', 32));
  const tokenFor = ({ jobId, run, approverId, requestHash, expiresAt }: SignedRequest): string => {
    const subject = [jobId, run, approverId].join('.');
    const mac = createHmac('sha256', key)
      .update(`${subject}\n${requestHash}\n${expiresAt.getTime()}`)
      .digest('base64url');
    return `${subject}.${mac}`;
  };
  return {
    tokenFor,
    read: (token) => {
      const [jobId = '', run = '', approverId = '', mac, ...more] = token.split('.');
      if (!isUuid(jobId) || !isUuid(approverId) || !/^[1-9]\d{0,8}$/.test(run) || !mac || more.length > 0) return null;
      return { jobId, run: Number(run), approverId };
    },
    isValid: (token, request) => {
      const given = Buffer.from(token);
      const right = Buffer.from(tokenFor(request));
      return given.length === right.length && timingSafeEqual(given, right);
    },
  };
}
