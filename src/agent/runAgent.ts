// The program on a deployment target, as `gantry agent` starts it: who it is, the link to the server, the desk for commands.
// It only dials out, and works on while the server is away. It never takes orders but signed ones of its own server.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { pause } from '../lib/abort';
import { GantryError } from '../lib/errors';
import { openMemory } from './agentMemory';
import type { ArchiveLimits } from './archiveRules';
import { createCommandDesk } from './commandDesk';
import { loadIdentity } from './identity';
import { holdLink } from './serverLink';
import { openStateFolder, type StateFolder } from './stateFolder';

export interface AgentOptions {
  /** Address of the server, http or https. */
  server: string;
  /** Needed for the first start only. */
  enrolToken?: string;
  /** The folder to deploy to; the agent's key and journals lie in it, under .gantry-agent. */
  root: string;
  logger: Logger;
  /** Ends the agent; what it was doing is taken up again by the next start. */
  signal: AbortSignal;
  /** What the programs of a scenario see; by default a plain PATH and HOME, nothing of the agent's own environment. */
  environment?: Record<string, string>;
  limits?: ArchiveLimits;
}

const MAX_PAUSE_MS = 5_000;
const FIRST_PAUSE_MS = 250;

/** Resolves when the signal fired and all is put down; rejects when it cannot start or the server does not know it (any more). */
export async function runAgent(options: AgentOptions): Promise<void> {
  const server = serverAddress(options.server);
  const folder = await openStateFolder(options.root);
  try {
    await work(options, server, folder);
  } finally {
    folder.release();
  }
}

async function work(options: AgentOptions, server: string, folder: StateFolder): Promise<void> {
  const { logger, signal } = options;
  const version = ownVersion();
  const identity = await loadIdentity(folder, { server, token: options.enrolToken, version, logger, signal });
  if (identity === null) return;
  // Clocks of targets are wrong more often than not; what the server signs is measured by the server's clock.
  let clockLag = 0;
  const now = (): number => Date.now() + clockLag;
  const { agentId, privateKey } = identity;
  const desk = createCommandDesk({
    identity,
    memory: openMemory(folder.memory),
    folder: folder.commands,
    logger,
    now,
    run: {
      root: folder.root,
      source: { server, agentId, privateKey, folder: folder.artifacts, now },
      environment: options.environment ?? plainEnvironment(),
      limits: options.limits,
    },
  });
  const onServerTime = (serverTime: number): void => void (clockLag = serverTime - Date.now());
  try {
    logger.info(`agent ${identity.name} ${version} deploys to ${folder.root}`);
    for (let failures = 0; !signal.aborted;) {
      const end = await holdLink({ server, identity, version, desk, logger, signal, onServerTime });
      if (signal.aborted) break;
      if (end.refused) {
        throw new GantryError(
          'not_signed_in',
          `${server} does not know the agent ${identity.name} (any more): ${end.why}. What is deployed here stays as it is. ` +
            `To enrol anew, remove ${folder.identity} and start with --enrol TOKEN.`,
        );
      }
      failures = end.wasUp ? 1 : failures + 1;
      // Once for each outage, not once for each try.
      if (failures === 1)
        logger.warn(`no link to ${server} (${end.why}); work goes on, and is reported when it is back`);
      else logger.debug(`still no link: ${end.why}`);
      // Half fixed, half random: a thousand agents must not come back in the same moment.
      const longest = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 8));
      await pause(longest * (0.5 + Math.random() / 2), signal);
    }
  } finally {
    await desk.stop();
  }
}

function serverAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new GantryError(
      'bad_request',
      `${text} is no address of a server. Give one such as https://gantry.example.com.`,
    );
  }
  return url.href.replace(/\/+$/, '');
}

function plainEnvironment(): Record<string, string> {
  const path = [
    dirname(process.execPath),
    '/usr/local/sbin',
    '/usr/local/bin',
    '/usr/sbin',
    '/usr/bin',
    '/sbin',
    '/bin',
  ];
  return { PATH: path.join(delimiter), HOME: homedir(), LANG: 'C.UTF-8' };
}

/** The same two folders up from src and from dist. */
function ownVersion(): string {
  const text = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
