// Takes commands in, has them carried out one after another, and sees to it that every report reaches the server.
// Called by serverLink for each message; goes on without a link, and picks up after a restart what the last life left.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import {
  openCommand,
  type AgentMessage,
  type OpenedCommand,
  type Report,
  type ServerMessage,
} from '../lib/agentProtocol';
import { messageOf } from '../lib/errors';
import type { AgentMemory } from './agentMemory';
import { createJournal, openJournals, type CommandJournal } from './commandJournal';
import type { Identity } from './identity';
import { runCommand, STOP_MARK, type CommandRun } from './runCommand';
import type { StopReason } from './stepError';

export type Send = (message: AgentMessage) => void;

export interface CommandDesk {
  /** Ids for the hello: in work, or ended and not yet delivered. */
  holding(): string[];
  /** A link is there: undelivered reports go out again, later ones at once. */
  attach(send: Send): void;
  detach(send: Send): void;
  take(message: Extract<ServerMessage, { type: 'command' | 'ack' | 'cancel' }>): void;
  /** Leaves what is in work to the next life; resolves when nothing runs any more. */
  stop(): Promise<void>;
}

export interface DeskSetup {
  identity: Identity;
  memory: AgentMemory;
  folder: string;
  logger: Logger;
  /** The server's time. */
  now(): number;
  run: Pick<CommandRun, 'root' | 'source' | 'environment' | 'limits'>;
}

/** A report that was sent on a living link and not acknowledged for so long is sent again. */
const RESEND_AFTER_MS = 15_000;

interface Held {
  journal: CommandJournal;
  stop: AbortController;
  sentAt: Map<number, number>;
}

export function createCommandDesk(setup: DeskSetup): CommandDesk {
  const { logger, folder, identity } = setup;
  const held = new Map<string, Held>();
  let send: Send | null = null;
  let queue: Promise<void> = Promise.resolve();
  let stopping = false;

  const deliver = (entry: Held, made: Report): void => {
    if (send === null) return;
    entry.sentAt.set(made.seq, Date.now());
    send(made);
  };
  const forgetIfDelivered = (entry: Held): void => {
    if (!entry.journal.isDelivered()) return;
    entry.journal.remove();
    held.delete(entry.journal.command.id);
  };
  const hold = (journal: CommandJournal): Held => {
    const entry: Held = { journal, stop: new AbortController(), sentAt: new Map() };
    held.set(journal.command.id, entry);
    const earlier = journal.marked(STOP_MARK);
    if (earlier) entry.stop.abort(earlier.data);
    return entry;
  };
  /** One after another: two deployments never write to the same folders at once. */
  const line = (entry: Held): void => {
    const { journal } = entry;
    queue = queue.then(async () => {
      if (stopping || journal.isEnded()) return;
      logger.info({ commandId: journal.command.id, deploymentId: journal.command.deploymentId }, 'command begins');
      try {
        const onReport = (made: Report): void => deliver(entry, made);
        await runCommand({ ...setup.run, journal, logger, signal: entry.stop.signal, onReport });
        if (journal.isEnded()) logger.info({ commandId: journal.command.id }, 'command has ended');
      } catch (error) {
        // The journal cannot be written (a full disk): nothing more can be promised; the next start goes on.
        logger.error({ commandId: journal.command.id }, `the command cannot go on: ${messageOf(error)}`);
      }
      forgetIfDelivered(entry);
    });
  };
  const stopWork = (entry: Held, reason: StopReason): void => {
    if (entry.journal.isEnded() || entry.stop.signal.aborted) return;
    entry.journal.mark(STOP_MARK, reason);
    entry.stop.abort(reason);
  };
  const refuse = (refused: Extract<OpenedCommand, { ok: false }>): void => {
    logger.warn({ commandId: refused.commandId, reason: refused.reason }, `command refused: ${refused.message}`);
    send?.({ type: 'rejected', commandId: refused.commandId, reason: refused.reason, message: refused.message });
  };

  const takeCommand = (message: Extract<ServerMessage, { type: 'command' }>): void => {
    const now = setup.now();
    const opened = openCommand(message, { agentId: identity.agentId, serverPublicKey: identity.serverPublicKey, now });
    if (!opened.ok) return refuse(opened);
    const { command } = opened;
    const verdict = held.has(command.id) ? 'seen' : setup.memory.judge(command);
    if (verdict === 'seen') return send?.({ type: 'accepted', commandId: command.id, repeated: true });
    if (verdict === 'older_epoch') {
      const text = 'A command of the same or a later turn for this target was here before.';
      return refuse({ ok: false, commandId: command.id, reason: 'older_epoch', message: text });
    }
    let journal: CommandJournal;
    try {
      // In this order: a kill in between leaves a command that is known by its journal, never one that is known and lost.
      journal = createJournal(folder, command, now);
      setup.memory.remember(command, now);
    } catch (error) {
      const text = `The agent could not store the command: ${messageOf(error, 500)}`;
      return refuse({ ok: false, commandId: command.id, reason: 'not_stored', message: text });
    }
    for (const entry of held.values()) {
      if (entry.journal.command.targetId === command.targetId) stopWork(entry, 'superseded');
    }
    const entry = hold(journal);
    send?.({ type: 'accepted', commandId: command.id, repeated: false });
    line(entry);
  };

  for (const journal of openJournals(folder)) {
    setup.memory.remember(journal.command, setup.now());
    const entry = hold(journal);
    if (journal.isDelivered()) forgetIfDelivered(entry);
    else line(entry);
  }
  // What a kill left half downloaded, or of a command that has ended.
  for (const name of readdirSync(setup.run.source.folder)) {
    if (!held.has(name)) rmSync(join(setup.run.source.folder, name), { recursive: true, force: true });
  }
  const resend = setInterval(() => {
    const before = Date.now() - RESEND_AFTER_MS;
    for (const entry of held.values()) {
      for (const made of entry.journal.unacknowledged())
        if ((entry.sentAt.get(made.seq) ?? 0) < before) deliver(entry, made);
    }
  }, RESEND_AFTER_MS);

  return {
    holding: () => [...held.keys()],
    attach(to) {
      send = to;
      for (const entry of held.values()) for (const made of entry.journal.unacknowledged()) deliver(entry, made);
    },
    detach(from) {
      if (send === from) send = null;
    },
    take(message) {
      if (message.type === 'command') return takeCommand(message);
      const entry = held.get(message.commandId);
      if (!entry) return;
      if (message.type === 'cancel') return stopWork(entry, 'canceled');
      entry.journal.acknowledge(message.seq);
      entry.sentAt.delete(message.seq);
      forgetIfDelivered(entry);
    },
    async stop() {
      stopping = true;
      clearInterval(resend);
      for (const entry of held.values()) entry.stop.abort('stopping' satisfies StopReason);
      await queue;
    },
  };
}
