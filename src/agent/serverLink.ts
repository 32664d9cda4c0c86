// One connection to the server: the handshake in which both prove who they are, pings, and messages to and from the desk.
// Called by runAgent again and again. It never acts on a message before the server has proved itself.
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import WebSocket from 'ws';
import {
  AGENT_CONNECT_PATH,
  CLOSE_REFUSED,
  LINK_DEAD_AFTER_MS,
  MAX_MESSAGE_BYTES,
  PING_EVERY_MS,
  isWelcomeGenuine,
  newNonce,
  readServerMessage,
  signHello,
  type AgentMessage,
  type ServerMessage,
} from '../lib/agentProtocol';
import type { CommandDesk } from './commandDesk';
import type { Identity } from './identity';

export interface LinkSetup {
  /** The server's address, without a slash at the end. */
  server: string;
  identity: Identity;
  version: string;
  desk: CommandDesk;
  logger: Logger;
  signal: AbortSignal;
  /** The server's time, as its welcome says. */
  onServerTime(serverTime: number): void;
}

export interface LinkEnd {
  /** The server does not know us: no use in trying again. */
  refused: boolean;
  /** Both sides had proved themselves: the next try may come soon. */
  wasUp: boolean;
  why: string;
}

/** For the connection and for both proofs. */
const HANDSHAKE_MS = 10_000;
/** How long the other side has to answer our close. */
const CLOSE_MS = 1_000;

/** Resolves when the connection has ended, for whatever reason. */
export function holdLink(setup: LinkSetup): Promise<LinkEnd> {
  const { server, identity, desk, logger } = setup;
  return new Promise((resolve) => {
    const socket = new WebSocket(server.replace(/^http/, 'ws') + AGENT_CONNECT_PATH, {
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
    });
    const nonce = newNonce();
    let wasUp = false;
    let why = '';
    let lastHeard = Date.now();
    const openedAt = Date.now();
    const send = (message: AgentMessage): void => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    };
    const giveUp = (reason: string): void => {
      why ||= reason;
      socket.terminate();
    };
    const onAbort = (): void => {
      socket.close(1000, 'the agent stops');
      setTimeout(() => socket.terminate(), CLOSE_MS).unref();
    };
    const pulse = setInterval(() => {
      if (!wasUp && Date.now() - openedAt > HANDSHAKE_MS) return giveUp('no welcome came');
      if (Date.now() - lastHeard > LINK_DEAD_AFTER_MS) return giveUp('the link is dead: nothing was heard');
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, PING_EVERY_MS / 2);

    const onMessage = (message: ServerMessage): void => {
      if (message.type === 'challenge') {
        const proof = { agentId: identity.agentId, challenge: message.nonce, nonce };
        const signature = signHello(proof, identity.privateKey);
        const { agentId } = identity;
        return send({
          type: 'hello',
          agentId,
          nonce,
          signature,
          version: setup.version,
          host: hostname(),
          holding: desk.holding(),
        });
      }
      if (message.type === 'welcome') {
        if (!isWelcomeGenuine(message, { agentId: identity.agentId, nonce }, identity.serverPublicKey)) {
          return giveUp('whoever answers there is not the server this agent enrolled with');
        }
        wasUp = true;
        setup.onServerTime(message.serverTime);
        logger.info(`connected to ${server} as ${identity.name}`);
        return desk.attach(send);
      }
      if (wasUp) desk.take(message);
    };

    socket.on('message', (data, isBinary) => {
      lastHeard = Date.now();
      const message = isBinary ? null : readServerMessage(String(data));
      if (message) onMessage(message);
      else logger.warn('the server said something this agent does not understand; is the agent too old?');
    });
    for (const event of ['open', 'ping', 'pong'] as const) socket.on(event, () => (lastHeard = Date.now()));
    socket.on('error', (error) => (why ||= error.message));
    socket.on('close', (code, reason) => {
      clearInterval(pulse);
      setup.signal.removeEventListener('abort', onAbort);
      desk.detach(send);
      resolve({ refused: code === CLOSE_REFUSED, wasUp, why: why || String(reason) || `closed with ${code}` });
    });
    if (setup.signal.aborted) onAbort();
    else setup.signal.addEventListener('abort', onAbort, { once: true });
  });
}
