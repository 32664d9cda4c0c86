// A small real server for the agent's tests: HTTP and WebSocket on a loopback port, speaking the protocol by its own functions.
// It dedupes reports by number as the product's gateway does, and can go away and come back on the same port.
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebSocketServer, type WebSocket } from 'ws';
import {
  AGENT_CONNECT_PATH,
  AGENT_ENROL_PATH,
  CLOSE_REFUSED,
  commandMessage,
  enrolRequest,
  isDownloadGenuine,
  isHelloGenuine,
  newNonce,
  readAgentMessage,
  readDownloadProof,
  welcomeFor,
  type AgentCommand,
  type AgentMessage,
  type Report,
  type ServerMessage,
} from '../../src/lib/agentProtocol';
import { createSigningKeys } from '../../src/lib/signing';
import { until } from './until';

export interface AgentServer {
  url: string;
  keys: ReturnType<typeof createSigningKeys>;
  /** Everything the agent said, in order, repeats included. */
  heard: AgentMessage[];
  /** Each report once, by its number. */
  reports(commandId: string): Report[];
  /** Answer to enrolments: the token that is good now. */
  token: string;
  agentId(): string;
  connections(): number;
  isConnected(): boolean;
  /** Tells of each message before it is acknowledged; may throw the link away by returning false. */
  onMessage: (message: AgentMessage) => void | false;
  addArtifact(bytes: Buffer, name: string, format: AgentCommand['artifact']['format']): AgentCommand['artifact'];
  /** Changes what is given out for an artifact. */
  tamper(id: number, bytes: Buffer): void;
  command(artifact: AgentCommand['artifact'], more?: Partial<AgentCommand>): AgentCommand;
  send(message: ServerMessage | Record<string, unknown>): void;
  deploy(command: AgentCommand): void;
  final(commandId: string, ms?: number): Promise<Report>;
  revoked: boolean;
  /** Welcomes whoever comes, as an impostor would. */
  gullible: boolean;
  /** While set, reports are heard and not acknowledged. */
  withholdAcks: boolean;
  away(): Promise<void>;
  back(): Promise<void>;
  close(): Promise<void>;
}

export async function startAgentServer(): Promise<AgentServer> {
  const keys = createSigningKeys();
  const artifacts = new Map<number, Buffer>();
  const stored = new Map<string, Map<number, Report>>();
  let agent: { id: string; publicKey: string } | null = null;
  let link: WebSocket | null = null;
  let http: Server;
  let sockets: WebSocketServer;
  let port = 0;
  let connections = 0;
  let lastTarget = 0;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const json = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.method === 'POST' && request.url === AGENT_ENROL_PATH) {
      const asked = enrolRequest.parse(JSON.parse(await text(request)));
      if (asked.token !== self.token) return json(401, { detail: 'This token is not valid any more.' });
      agent = { id: randomUUID(), publicKey: asked.publicKey };
      return json(200, { agentId: agent.id, name: 'alpha', serverPublicKey: keys.publicKey });
    }
    const id = /^\/api\/v1\/agent\/artifacts\/(\d+)$/.exec(request.url ?? '')?.[1];
    const proof = readDownloadProof(request.headers);
    if (!id || !proof || !agent || proof.agentId !== agent.id) return json(401, {});
    if (!isDownloadGenuine(proof, request.url ?? '', Date.now(), agent.publicKey)) return json(401, {});
    response.writeHead(200).end(artifacts.get(Number(id)));
  };

  const talk = (socket: WebSocket): void => {
    connections++;
    const challenge = newNonce();
    let known = false;
    socket.send(JSON.stringify({ type: 'challenge', nonce: challenge }));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (link === socket) link = null;
    });
    socket.on('message', (data) => {
      const message = readAgentMessage(String(data));
      if (!message) throw new Error(`the agent said what the protocol does not know: ${String(data)}`);
      if (message.type === 'hello') {
        const genuine = agent?.id === message.agentId && isHelloGenuine(message, challenge, agent.publicKey);
        known = self.gullible || (!self.revoked && genuine);
        if (!known) return socket.close(CLOSE_REFUSED, 'not known');
        link = socket;
        socket.send(JSON.stringify(welcomeFor(message, Date.now(), keys.privateKey)));
      }
      if (!known) throw new Error('the agent spoke before its hello');
      self.heard.push(message);
      if (self.onMessage(message) === false) return;
      if (message.type !== 'report' || self.withholdAcks) return;
      const bySeq = stored.get(message.commandId) ?? new Map<number, Report>();
      stored.set(message.commandId, bySeq);
      const before = bySeq.get(message.seq);
      if (before && JSON.stringify(before) !== JSON.stringify(message))
        throw new Error(`report ${message.seq} came twice with other content`);
      bySeq.set(message.seq, message);
      socket.send(JSON.stringify({ type: 'ack', commandId: message.commandId, seq: message.seq }));
    });
  };

  const open = async (): Promise<void> => {
    http = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
    sockets = new WebSocketServer({ server: http, path: AGENT_CONNECT_PATH });
    sockets.on('connection', talk);
    await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
    port = (http.address() as AddressInfo).port;
  };
  const shut = async (): Promise<void> => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  };
  await open();

  const self: AgentServer = {
    url: `http://127.0.0.1:${port}`,
    keys,
    heard: [],
    token: 'first-token',
    revoked: false,
    gullible: false,
    withholdAcks: false,
    onMessage: () => undefined,
    reports: (commandId) => [...(stored.get(commandId)?.values() ?? [])].sort((a, b) => a.seq - b.seq),
    agentId: () => agent?.id ?? randomUUID(),
    connections: () => connections,
    isConnected: () => link !== null,
    addArtifact(bytes, name, format) {
      const id = artifacts.size + 1;
      artifacts.set(id, bytes);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { id, name, size: bytes.length, sha256, format, path: `/api/v1/agent/artifacts/${id}` };
    },
    tamper: (id, bytes) => void artifacts.set(id, bytes),
    command(artifact, more = {}) {
      const now = Date.now();
      lastTarget++;
      return {
        id: randomUUID(),
        agentId: self.agentId(),
        deploymentId: lastTarget,
        targetId: lastTarget,
        epoch: 1,
        kind: 'deploy',
        issuedAt: now,
        expiresAt: now + 60_000,
        artifact,
        scenario: { pre: [], deploy: [{ sourcePath: '/', deployPath: 'site' }], post: [] },
        ...more,
      };
    },
    send(message) {
      if (!link) throw new Error('no agent is connected');
      link.send(JSON.stringify(message));
    },
    deploy: (command) => self.send(commandMessage(command, keys.privateKey)),
    final: (commandId, ms) =>
      until(`the last report of ${commandId}`, () => self.reports(commandId).find((report) => report.final), ms),
    away: shut,
    back: open,
    close: shut,
  };
  return self;
}
