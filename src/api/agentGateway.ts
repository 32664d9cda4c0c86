// Where agents are connected: takes the HTTP upgrade at /api/v1/agent/connect, sends each agent its due commands and cancels, keeps
// `connected` fresh and cuts off the revoked. Attached to the web server by webService.ts. Commands are written elsewhere.
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Database } from '../db/database';
import { markDisconnected, refreshConnected } from '../db/queries/agents';
import { listCommandsOfAgents, type CommandRow } from '../db/queries/deploymentTargets';
import type { Waker } from '../db/wake';
import { sendCommand } from '../jobs/deployments/sendCommand';
import { wakeJobsOfAgent } from '../jobs/deployments/wakeJobsOfAgent';
import { startLoop } from '../lib/abort';
import { AGENT_CONNECT_PATH, CLOSE_REFUSED, MAX_MESSAGE_BYTES } from '../lib/agentProtocol';
import type { Logger } from '../lib/logger';
import type { SigningKeys } from '../lib/signing';
import { runAgentSession, type AgentSession } from './agentSession';

export interface AgentGatewayDeps {
  database: Database;
  serverKeys: SigningKeys;
  waker: Waker;
  logger: Logger;
}

export interface AgentGateway {
  /** Says goodbye to all agents, which come back when there is a server again. */
  stop(): Promise<void>;
}

/** NOTIFY wakes the round at once; this is the fallback. */
const ROUND_EVERY_MS = 1000;
/** A revoked agent is cut off within this time. */
const REFRESH_EVERY_MS = 5000;
/** Two missed refreshes and some: an agent whose web process died is `away` after that. */
const CONNECTED_SECONDS = 15;
/** A command that was not taken up is sent again, with a new expiry. */
const RESEND_AFTER_MS = 15_000;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_REPLACED = 1000;

export function attachAgentGateway(server: Server, deps: AgentGatewayDeps): AgentGateway {
  const { database, logger, waker } = deps;
  const db = database.kysely;
  const sessions = new Map<string, AgentSession>();
  const endings = new Set<Promise<void>>();
  const wss = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  const sessionDeps = {
    db,
    serverKeys: deps.serverKeys,
    logger,
    connectedSeconds: CONNECTED_SECONDS,
    wakeWork: () => {
      waker.wake('gantry_work');
      waker.wake('gantry_change');
    },
  };
  const onError = (error: unknown): void =>
    logger.warn({ error: String(error) }, 'a round of the agent gateway failed');

  const opened = async (session: AgentSession): Promise<void> => {
    sessions.get(session.agentId)?.close(CLOSE_REPLACED, 'the agent connected anew');
    sessions.set(session.agentId, session);
    await wakeJobsOfAgent(sessionDeps, session.agentId);
    round.wake();
  };
  const closed = async (session: AgentSession): Promise<void> => {
    if (sessions.get(session.agentId) !== session) return;
    sessions.delete(session.agentId);
    await markDisconnected(db, session.agentId);
    await wakeJobsOfAgent(sessionDeps, session.agentId);
  };

  const round = startLoop(
    ROUND_EVERY_MS,
    async () => {
      // The connections of this moment only: one that opens during the read has no rows in it.
      const here = [...sessions];
      const rows = await listCommandsOfAgents(
        db,
        here.map(([agentId]) => agentId),
      );
      for (const [agentId, session] of here) {
        await serve(
          session,
          rows.filter((row) => row.agentId === agentId),
        ).catch(onError);
      }
    },
    onError,
  );

  const serve = async (session: AgentSession, rows: CommandRow[]): Promise<void> => {
    const now = Date.now();
    const isDue = (key: string): boolean => now - (session.sentAt.get(key) ?? -Infinity) >= RESEND_AFTER_MS;
    for (const row of rows) {
      const key = row.canceling ? `cancel ${row.commandId}` : row.commandId;
      // What the agent has in hand is not sent again; a canceled one that was never handed over never will be.
      const wanted = row.canceling ? row.status !== 'pending' : !session.holding.has(row.commandId);
      if (!wanted || !isDue(key)) continue;
      session.sentAt.set(key, now);
      const message = row.canceling
        ? ({ type: 'cancel', commandId: row.commandId } as const)
        : await sendCommand(db, deps.serverKeys, row);
      if (message) session.send(message);
    }
    // Work of a deployment that has ended meanwhile, say by a cancel that did not wait for this agent.
    const underWay = new Set(rows.map((row) => row.commandId));
    for (const commandId of session.holding) {
      if (underWay.has(commandId) || session.sentAt.has(commandId)) continue;
      session.holding.delete(commandId);
      session.send({ type: 'cancel', commandId });
    }
  };

  const refresh = startLoop(
    REFRESH_EVERY_MS,
    async () => {
      const here = [...sessions];
      const ids = here.map(([agentId]) => agentId);
      const may = await refreshConnected(db, ids, CONNECTED_SECONDS);
      for (const [agentId, session] of here) {
        if (!may.has(agentId)) session.close(CLOSE_REFUSED, 'revoked');
      }
    },
    onError,
  );
  const unlisten = database.listen('gantry_agent', () => {
    round.wake();
    refresh.wake();
  });

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const wanted = (request.url ?? '').split('?')[0] === AGENT_CONNECT_PATH;
    // Browsers send an Origin with each WebSocket; agents never do.
    if (!wanted || request.headers.origin !== undefined) {
      socket.end(`HTTP/1.1 ${wanted ? '403 Forbidden' : '404 Not Found'}\r\nConnection: close\r\n\r\n`);
      return;
    }
    wss.handleUpgrade(request, socket, head, (webSocket) =>
      runAgentSession(webSocket, sessionDeps, {
        opened,
        closed: (session) => {
          const ending = closed(session).catch(onError);
          endings.add(ending);
          return ending.finally(() => endings.delete(ending));
        },
      }),
    );
  };
  server.on('upgrade', onUpgrade);

  return {
    stop: async () => {
      server.off('upgrade', onUpgrade);
      unlisten();
      await Promise.all([round.stop(), refresh.stop()]);
      const gone = [...wss.clients].map(
        (client) =>
          new Promise<void>((resolve) => {
            // An agent that does not answer the goodbye is left standing.
            const cut = setTimeout(() => client.terminate(), 1000);
            client.once('close', () => {
              clearTimeout(cut);
              resolve();
            });
            client.close(CLOSE_GOING_AWAY, 'the server stops');
          }),
      );
      await Promise.all(gone);
      // The handlers of `close` have begun by now; what they write is waited for.
      await new Promise((resolve) => setImmediate(resolve));
      await Promise.all(endings);
      wss.close();
    },
  };
}
