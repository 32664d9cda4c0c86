// Which faults of the store pass by themselves, and which stay however often one asks. Read by the pool and at the start.

const TRANSIENT_STATES = /^(57P0[123]|57014|55P03|40P01|40001|08...|53300)$/;
const TRANSIENT_CODES = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;
const TRANSIENT_TEXT =
  /terminated unexpectedly|Connection terminated|not queryable|timeout|ECONNREFUSED|ECONNRESET|EPIPE|starting up|shutting down/i;

/** Wrong password, no such database, no right to it; and what Redis says for the first and the last. */
const HOPELESS_STATES = /^(28...|3D000|42501)$/;
const HOPELESS_TEXT = /^(NOAUTH|WRONGPASS|NOPERM)\b/;

export function isTransient(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return TRANSIENT_STATES.test(code) || TRANSIENT_CODES.test(code) || TRANSIENT_TEXT.test(message);
}

export function isHopeless(error: unknown): boolean {
  const { code = '', message = '', name = '' } = error as { code?: string; message?: string; name?: string };
  return HOPELESS_STATES.test(code) || HOPELESS_TEXT.test(message) || name === 'SchemaVersionMismatchError';
}
