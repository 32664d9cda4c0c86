// Who this agent is: its key pair, made here and never sent, and what the server told at enrolment. Called by runAgent.
// The key is stored before the token is used, so that an answer that got lost can be asked for again with the same key.
import { chmodSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { z } from 'zod';
import { pause } from '../lib/abort';
import { AGENT_ENROL_PATH, enrolResponse, type EnrolRequest, type EnrolResponse } from '../lib/agentProtocol';
import { GantryError, messageOf } from '../lib/errors';
import { createSigningKeys } from '../lib/signing';
import { readJson, writeDurably, type StateFolder } from './stateFolder';

const stored = z.object({
  publicKey: z.string(),
  privateKey: z.string(),
  enrolment: enrolResponse.optional(),
});

export interface Identity {
  agentId: string;
  name: string;
  privateKey: string;
  /** Pinned at enrolment: commands of anybody else are refused. */
  serverPublicKey: string;
}

export interface Enrolment {
  server: string;
  token?: string;
  version: string;
  logger: Logger;
  signal: AbortSignal;
}

/** The identity in the folder, or a new one for the token. Null only if the signal fired first. */
export async function loadIdentity(folder: StateFolder, enrolment: Enrolment): Promise<Identity | null> {
  const { logger } = enrolment;
  const keys = readKeys(folder.identity) ?? createSigningKeys();
  const known = readKeys(folder.identity)?.enrolment;
  if (known) {
    if (enrolment.token) logger.info('this agent is enrolled already; the token is not used');
    return { ...known, privateKey: keys.privateKey };
  }
  if (!enrolment.token) {
    throw new GantryError(
      'not_signed_in',
      `There is no agent in ${folder.root} yet. Ask for a token (POST /api/v1/agents/enrolment-tokens) and start once with --enrol TOKEN.`,
    );
  }
  writeDurably(folder.identity, JSON.stringify({ publicKey: keys.publicKey, privateKey: keys.privateKey }));
  chmodSync(folder.identity, 0o600);
  const request = { token: enrolment.token, publicKey: keys.publicKey, host: hostname(), version: enrolment.version };
  const answer = await enrol(enrolment, request);
  if (answer === null) return null;
  writeDurably(folder.identity, JSON.stringify({ ...keys, enrolment: answer }));
  logger.info(
    { agentId: answer.agentId },
    `enrolled at ${enrolment.server} as ${answer.name}; the key lies in ${folder.identity}`,
  );
  return { ...answer, privateKey: keys.privateKey };
}

function readKeys(path: string): z.infer<typeof stored> | null {
  const json = readJson(path);
  if (json === null) return null;
  const parsed = stored.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new GantryError(
    'internal',
    `${path} is damaged. Nothing was changed. Restore it, or remove it and enrol again.`,
  );
}

async function enrol({ server, logger, signal }: Enrolment, request: EnrolRequest): Promise<EnrolResponse | null> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    const answer = await ask(server, request, signal).catch((error: unknown) => {
      if (error instanceof GantryError) throw error;
      return messageOf((error as Error).cause ?? error, 300);
    });
    if (typeof answer !== 'string') return answer;
    if (attempt === 1) logger.warn(`${server} does not answer (${answer}); trying again until it does`);
    await pause(Math.min(5_000, 250 * 2 ** Math.min(attempt, 8)), signal);
  }
  return null;
}

async function ask(server: string, request: EnrolRequest, signal: AbortSignal): Promise<EnrolResponse> {
  const response = await fetch(server + AGENT_ENROL_PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(request),
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
  });
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) {
    const parsed = enrolResponse.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new GantryError('bad_request', `${server} answered, but not as Gantry does. Is that the right address?`);
  }
  if (response.status === 429 || response.status >= 500) throw new Error(`status ${response.status}`);
  const detail = z.object({ detail: z.string() }).safeParse(body).data?.detail ?? `status ${response.status}`;
  throw new GantryError(
    'not_signed_in',
    `The server refused the enrolment: ${detail} Ask for a new token and start again with it.`,
  );
}
