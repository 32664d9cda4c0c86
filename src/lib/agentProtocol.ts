// What server and agent say to each other: the shapes of all messages, and the signatures over them. Pure; used by
// src/agent (the program on the target) and by the server's gateway. A message that does not parse here is never acted on.
//
// The talk, over one WebSocket that the agent opens:
//   server: challenge -> agent: hello -> server: welcome, or it closes with CLOSE_REFUSED (4401).
//   server: command   -> agent: accepted (again with `repeated` if it has seen the id; it is never run twice) or rejected.
//   agent:  report    -> server: ack, once the report is stored. Reports of a command are numbered 1, 2, 3 … and are sent in
//                        order, again after every reconnect until acknowledged: take them one by one, dedupe by (commandId, seq).
//   server: cancel    -> the command ends with a final report, code `canceled`, unless it was past its last step.
// The reports of a command that goes well: pre started, pre success, deploy started, deploy success, post started,
// post success (final), with `progress` reports in between that only carry log. A step without commands is reported too.
// The report marked `final` is the last one; a `fail` is always final, later steps are not run.
// Every new command for a target carries a higher epoch than all before it; sending the same command again changes nothing in it.
// Both sides send WebSocket pings every PING_EVERY_MS and drop a link that was silent for LINK_DEAD_AFTER_MS.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { isPublicKey, isSignedFor, signFor } from './signing';

export const AGENT_CONNECT_PATH = '/api/v1/agent/connect';
export const AGENT_ENROL_PATH = '/api/v1/agent/enrol';
/** The close code for an agent that is unknown, revoked, or did not prove itself. It does not try again. */
export const CLOSE_REFUSED = 4401;
export const PING_EVERY_MS = 10_000;
/** Two lost pings and some seconds for a slow line. */
export const LINK_DEAD_AFTER_MS = 25_000;
/** Commands live for at most five minutes; one that waited longer is signed anew, with a higher epoch. */
export const COMMAND_LIFETIME_MS = 5 * 60_000;
/** How old the timestamp of a download may be, either way. */
export const DOWNLOAD_WINDOW_MS = 60_000;
/** `maxPayload` of both ends. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

const epochMs = z.int().nonnegative();
const signature = z.string().max(100);
const nonce = z.string().min(16).max(100);
const host = z.string().max(255);
const version = z.string().max(100);

export const enrolRequest = z.strictObject({
  token: z.string().min(1).max(200),
  publicKey: z.string().max(200).refine(isPublicKey, { message: 'is not an Ed25519 public key (base64, SPKI)' }),
  host,
  version,
});
/** The same token with the same key may be answered again in the token's lifetime: the first answer may have been lost. */
export const enrolResponse = z.object({ agentId: z.uuid(), name: z.string(), serverPublicKey: z.string() });
export type EnrolRequest = z.infer<typeof enrolRequest>;
export type EnrolResponse = z.infer<typeof enrolResponse>;

export const STEPS = ['pre', 'deploy', 'post'] as const;
export type Step = (typeof STEPS)[number];

const programCall = z.strictObject({
  args: z.array(z.string()).min(1),
  user: z.string().optional(),
  timeoutMs: z.int().positive().optional(),
});
export type ProgramCall = z.infer<typeof programCall>;

export const agentCommand = z.strictObject({
  id: z.uuid(),
  agentId: z.uuid(),
  deploymentId: z.int().positive(),
  targetId: z.int().positive(),
  epoch: z.int().nonnegative(),
  kind: z.literal('deploy'),
  /** Milliseconds since 1970, by the server's clock. */
  issuedAt: epochMs,
  expiresAt: epochMs,
  artifact: z.strictObject({
    id: z.int().positive(),
    name: z.string().min(1).max(255),
    size: z.int().nonnegative(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    format: z.enum(['tar', 'tar.gz', 'zip', 'file']),
    /** Path (with query, if any) under the server's address; the download signature is over exactly this text. */
    path: z.string().regex(/^\/[!-~]{0,499}$/),
  }),
  scenario: z.strictObject({
    pre: z.array(programCall),
    /** sourcePath: a folder or file of the archive, `/` is all. deployPath: a folder under the agent's root. */
    deploy: z.array(z.strictObject({ sourcePath: z.string(), deployPath: z.string() })),
    post: z.array(programCall),
  }),
});
export type AgentCommand = z.infer<typeof agentCommand>;

export const REJECT_REASONS = [
  'malformed',
  'bad_signature',
  'wrong_audience',
  'expired',
  'older_epoch',
  'not_stored',
] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

/** Why a step failed, for code; `error` says it for people. */
// prettier-ignore
export const FAIL_CODES = [
  'canceled', 'superseded', 'command_failed', 'timed_out', 'download_failed', 'bad_artifact', 'unsafe_archive', 'bad_path', 'agent_fault',
] as const;
export type FailCode = (typeof FAIL_CODES)[number];

export const report = z.strictObject({
  type: z.literal('report'),
  commandId: z.uuid(),
  seq: z.int().positive(),
  step: z.enum(STEPS),
  status: z.enum(['started', 'progress', 'success', 'fail']),
  at: epochMs,
  final: z.boolean(),
  code: z.enum(FAIL_CODES).optional(),
  error: z.string().max(10_000).optional(),
  /** Whole lines, each ended by a newline; to be appended to the log of the step. */
  log: z.string().max(200_000).optional(),
});
export type Report = z.infer<typeof report>;

export const hello = z.strictObject({
  type: z.literal('hello'),
  agentId: z.uuid(),
  /** The agent's own challenge; the server signs it in its welcome. */
  nonce,
  signature,
  version,
  host,
  /** Commands in work, or ended with reports not yet acknowledged. */
  holding: z.array(z.uuid()),
});
export type Hello = z.infer<typeof hello>;

export const agentMessage = z.discriminatedUnion('type', [
  hello,
  z.strictObject({ type: z.literal('accepted'), commandId: z.uuid(), repeated: z.boolean() }),
  z.strictObject({
    type: z.literal('rejected'),
    /** Absent where the message was too broken to name one. */
    commandId: z.uuid().optional(),
    reason: z.enum(REJECT_REASONS),
    message: z.string().max(1000),
  }),
  report,
]);
export type AgentMessage = z.infer<typeof agentMessage>;

export const serverMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('challenge'), nonce }),
  z.object({ type: z.literal('welcome'), serverTime: epochMs, signature }),
  /** `command` stays as it came until its signature is checked: `openCommand`. */
  z.object({ type: z.literal('command'), command: z.unknown(), signature }),
  z.object({ type: z.literal('ack'), commandId: z.uuid(), seq: z.int().positive() }),
  z.object({ type: z.literal('cancel'), commandId: z.uuid() }),
]);
export type ServerMessage = z.infer<typeof serverMessage>;

/** Text from the other side -> a message, or null for anything else. */
export function readAgentMessage(text: string): AgentMessage | null {
  return agentMessage.safeParse(parseJson(text)).data ?? null;
}

export function readServerMessage(text: string): ServerMessage | null {
  return serverMessage.safeParse(parseJson(text)).data ?? null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function newNonce(): string {
  return randomBytes(24).toString('base64url');
}

interface HelloProof {
  agentId: string;
  /** From the server's challenge. */
  challenge: string;
  nonce: string;
}

export function signHello(proof: HelloProof, agentPrivateKey: string): string {
  return signFor('hello', proof, agentPrivateKey);
}

/** The server's check: the one who said hello holds the key of that agent, and answers this very challenge. */
export function isHelloGenuine(said: Hello, challenge: string, agentPublicKey: string): boolean {
  const proof = { agentId: said.agentId, challenge, nonce: said.nonce };
  return isSignedFor('hello', proof, said.signature, agentPublicKey);
}

export function welcomeFor(said: Hello, serverTime: number, serverPrivateKey: string): ServerMessage {
  const proof = { agentId: said.agentId, nonce: said.nonce, serverTime };
  return { type: 'welcome', serverTime, signature: signFor('welcome', proof, serverPrivateKey) };
}

/** The agent's check: this is the server it enrolled with, now. */
export function isWelcomeGenuine(
  welcome: Extract<ServerMessage, { type: 'welcome' }>,
  sent: { agentId: string; nonce: string },
  serverPublicKey: string,
): boolean {
  const proof = { agentId: sent.agentId, nonce: sent.nonce, serverTime: welcome.serverTime };
  return isSignedFor('welcome', proof, welcome.signature, serverPublicKey);
}

/** The message to send; keep it as it is (JSON) if it may have to be sent again. */
export function commandMessage(command: AgentCommand, serverPrivateKey: string): ServerMessage {
  const checked = agentCommand.parse(command);
  return { type: 'command', command: checked, signature: signFor('command', checked, serverPrivateKey) };
}

export type OpenedCommand =
  { ok: true; command: AgentCommand } | { ok: false; commandId?: string; reason: RejectReason; message: string };

/** Checks signature, shape, audience and time. Whether the id or the epoch is news is for the agent's memory to say. */
export function openCommand(
  sent: { command?: unknown; signature: string },
  expected: { agentId: string; serverPublicKey: string; now: number },
): OpenedCommand {
  const claimed = z.object({ id: z.uuid() }).safeParse(sent.command).data?.id;
  const refuse = (reason: RejectReason, message: string): OpenedCommand => ({
    ok: false,
    commandId: claimed,
    reason,
    message,
  });
  if (!isSignedFor('command', sent.command ?? null, sent.signature, expected.serverPublicKey)) {
    return refuse('bad_signature', 'The command does not carry the signature of the server this agent enrolled with.');
  }
  const parsed = agentCommand.safeParse(sent.command);
  if (!parsed.success)
    return refuse('malformed', `The command is not understood: ${z.prettifyError(parsed.error)}`.slice(0, 1000));
  const command = parsed.data;
  if (command.agentId !== expected.agentId) return refuse('wrong_audience', 'The command is meant for another agent.');
  if (command.expiresAt <= expected.now || command.expiresAt - command.issuedAt > COMMAND_LIFETIME_MS) {
    return refuse('expired', 'The command is past its time.');
  }
  return { ok: true, command };
}

export const DOWNLOAD_HEADERS = {
  agent: 'x-gantry-agent',
  timestamp: 'x-gantry-timestamp',
  signature: 'x-gantry-agent-signature',
} as const;

export interface DownloadProof {
  agentId: string;
  timestamp: number;
  signature: string;
}

export function downloadHeaders(
  agentId: string,
  path: string,
  now: number,
  agentPrivateKey: string,
): Record<string, string> {
  return {
    [DOWNLOAD_HEADERS.agent]: agentId,
    [DOWNLOAD_HEADERS.timestamp]: String(now),
    [DOWNLOAD_HEADERS.signature]: signFor('download', `${agentId}.${now}.${path}`, agentPrivateKey),
  };
}

/** What the request claims, to look the agent up by; null where the headers are missing or odd. */
export function readDownloadProof(headers: Record<string, string | string[] | undefined>): DownloadProof | null {
  const parsed = z
    .object({
      agentId: z.uuid(),
      timestamp: z
        .string()
        .regex(/^\d{1,15}$/)
        .transform(Number),
      signature,
    })
    .safeParse({
      agentId: headers[DOWNLOAD_HEADERS.agent],
      timestamp: headers[DOWNLOAD_HEADERS.timestamp],
      signature: headers[DOWNLOAD_HEADERS.signature],
    });
  return parsed.data ?? null;
}

/** `path` is the path with query that was asked for (`req.originalUrl`). That the agent may have this artifact is checked apart. */
export function isDownloadGenuine(proof: DownloadProof, path: string, now: number, agentPublicKey: string): boolean {
  if (Math.abs(now - proof.timestamp) > DOWNLOAD_WINDOW_MS) return false;
  return isSignedFor('download', `${proof.agentId}.${proof.timestamp}.${path}`, proof.signature, agentPublicKey);
}
