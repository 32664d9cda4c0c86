// One connection of one agent: challenge and hello, then its messages one after another. Made by agentGateway.ts, which sends the
// commands. Whoever did not prove itself gets nothing but the challenge; whatever does not parse ends the connection.
import type { WebSocket } from 'ws';
import { markConnected } from '../db/queries/agents';
import { findAgent } from '../db/queries/agents';
import type { Db } from '../db/database';
import { takeRejection, takeReport, type ReportDeps } from '../jobs/deployments/takeReport';
import {
  CLOSE_REFUSED,
  isHelloGenuine,
  LINK_DEAD_AFTER_MS,
  newNonce,
  PING_EVERY_MS,
  readAgentMessage,
  welcomeFor,
  type AgentMessage,
  type Hello,
  type ServerMessage,
} from '../lib/agentProtocol';
import type { Logger } from '../lib/logger';
import type { SigningKeys } from '../lib/signing';

export interface SessionDeps extends ReportDeps {
  db: Db;
  serverKeys: SigningKeys;
  logger: Logger;
  /** How long `connected` holds without a refresh. */
  connectedSeconds: number;
}

export interface AgentSession {
  agentId: string;
  /** Commands the agent said it holds, less those it was told to drop. */
  holding: Set<string>;
  /** When a command, or its cancel, was last sent over this connection. */
  sentAt: Map<string, number>;
  send(message: ServerMessage): void;
  close(code: number, why: string): void;
}

/** An agent answers at once; who does not is no agent. */
const HELLO_WITHIN_MS = 10_000;
/** Close codes of RFC 6455: try again later, and a breach of the protocol. */
const CLOSE_TRY_LATER = 1013;
const CLOSE_BREACH = 1008;

/** Runs the connection to its end. `opened` and `closed` are called once each, and only for an agent that proved itself. */
export function runAgentSession(
  socket: WebSocket,
  deps: SessionDeps,
  on: { opened(session: AgentSession): Promise<void>; closed(session: AgentSession): Promise<void> },
): void {
  const challenge = newNonce();
  let session: AgentSession | null = null;
  let lastHeard = Date.now();
  let work: Promise<void> = Promise.resolve();
  const send = (message: ServerMessage): void => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
  };
  const helloDue = setTimeout(() => socket.close(CLOSE_BREACH, 'no hello in time'), HELLO_WITHIN_MS);
  const pings = setInterval(() => {
    if (Date.now() - lastHeard > LINK_DEAD_AFTER_MS) socket.terminate();
    else if (socket.readyState === socket.OPEN) socket.ping();
  }, PING_EVERY_MS);

  const take = async (message: AgentMessage): Promise<void> => {
    if (session) return takeMessage(deps, session, message);
    if (message.type !== 'hello') return socket.close(CLOSE_BREACH, 'hello comes first');
    if (!(await isWelcome(deps, message, challenge))) {
      deps.logger.warn({ agentId: message.agentId }, 'an agent was refused: unknown, revoked or not genuine');
      return socket.close(CLOSE_REFUSED, 'unknown or revoked');
    }
    clearTimeout(helloDue);
    if (socket.readyState !== socket.OPEN) return;
    session = {
      agentId: message.agentId,
      holding: new Set(message.holding),
      sentAt: new Map(),
      send,
      close: (code, why) => socket.close(code, why),
    };
    send(welcomeFor(message, Date.now(), deps.serverKeys.privateKey));
    await on.opened(session);
  };

  socket.on('message', (data, isBinary) => {
    lastHeard = Date.now();
    const message = isBinary ? null : readAgentMessage(String(data));
    if (!message) return socket.close(CLOSE_BREACH, 'not understood');
    // One at a time and in order; the line waits while we write.
    socket.pause();
    work = work
      .then(() => take(message))
      .catch((error: Error) => {
        // Not acknowledged, so it comes again after the reconnect.
        deps.logger.warn({ error: error.message }, 'a message of an agent could not be taken in');
        socket.close(CLOSE_TRY_LATER, 'try again later');
      })
      .finally(() => socket.resume());
  });
  socket.on('pong', () => (lastHeard = Date.now()));
  socket.on('ping', () => (lastHeard = Date.now()));
  socket.on('error', (error) => deps.logger.debug({ error: error.message }, 'the connection of an agent failed'));
  socket.on('close', () => {
    clearTimeout(helloDue);
    clearInterval(pings);
    void work.then(() => session && on.closed(session));
  });
  send({ type: 'challenge', nonce: challenge });
}

async function isWelcome(deps: SessionDeps, hello: Hello, challenge: string): Promise<boolean> {
  const agent = await findAgent(deps.db, hello.agentId);
  if (!agent || agent.revokedAt || !isHelloGenuine(hello, challenge, agent.publicKey)) return false;
  return markConnected(deps.db, agent.id, deps.connectedSeconds, { host: hello.host, programVersion: hello.version });
}

async function takeMessage(deps: SessionDeps, session: AgentSession, message: AgentMessage): Promise<void> {
  switch (message.type) {
    case 'report': {
      const taken = await takeReport(deps, session.agentId, message);
      if (taken === 'unknown')
        deps.logger.warn({ agentId: session.agentId }, 'a report on a command that is not of this agent');
      // Acknowledged even if it changed nothing: nobody waits for it any more.
      return session.send({ type: 'ack', commandId: message.commandId, seq: message.seq });
    }
    case 'rejected':
      deps.logger.warn({ agentId: session.agentId, reason: message.reason }, 'an agent refused a command');
      if (message.commandId) await takeRejection(deps, session.agentId, { ...message, commandId: message.commandId });
      return;
    case 'accepted':
      session.holding.add(message.commandId);
      return;
    case 'hello':
      return session.close(CLOSE_BREACH, 'hello comes once');
  }
}
