// The hash that a request for approval carries from the mail to the decision: what is approved is what was asked for.
// Anybody can make it from GET /jobs/{id}/approval: SHA-256 over the canonical JSON of these five members.
import { createHash } from 'node:crypto';
import type { FrozenPayload } from '../../db/queries/approvals';
import { canonicalJson } from '../../lib/signing';

export function hashOfRequest(payload: FrozenPayload): Buffer {
  const text = canonicalJson({
    kind: payload.kind,
    title: payload.title,
    params: payload.params,
    rowTotal: payload.rowTotal,
    rowsSha256: payload.inputSha256?.toString('hex') ?? null,
  });
  return createHash('sha256').update(text, 'utf8').digest();
}
