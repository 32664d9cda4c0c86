// One file for each command in hand: the command, what was done of it, its reports, and which of them the server has.
// Appended and synced before anything counts as done; a line torn by a kill is cut off. Removed when the last report is acknowledged.
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { agentCommand, report, type AgentCommand, type Report } from '../lib/agentProtocol';
import { syncFolder } from './stateFolder';

const line = z.discriminatedUnion('type', [
  z.object({ type: z.literal('command'), command: agentCommand, acceptedAt: z.number() }),
  z.object({ type: z.literal('mark'), name: z.string(), data: z.unknown().optional() }),
  z.object({ type: z.literal('ack'), seq: z.number() }),
  report,
]);
type Line = z.infer<typeof line>;

export interface CommandJournal {
  command: AgentCommand;
  acceptedAt: number;
  /** Remembers that something was done or begun; durable when it returns. */
  mark(name: string, data?: unknown): void;
  /** What was given with the last mark of that name; undefined if there is none. */
  marked(name: string): { data: unknown } | undefined;
  /** Numbers and stores a report. */
  append(body: Omit<Report, 'type' | 'commandId' | 'seq'>): Report;
  hasReport(step: Report['step'], status: Report['status']): boolean;
  unacknowledged(): Report[];
  acknowledge(seq: number): void;
  /** The last report is written: nothing is left to do but to deliver. */
  isEnded(): boolean;
  isDelivered(): boolean;
  remove(): void;
}

export function createJournal(folder: string, command: AgentCommand, acceptedAt: number): CommandJournal {
  const path = join(folder, `${command.id}.ndjson`);
  const first: Line = { type: 'command', command, acceptedAt };
  appendLines(path, [first], true);
  syncFolder(folder);
  return journalOf(path, command, acceptedAt, []);
}

/** Journals left by an earlier life of the agent, the oldest first. */
export function openJournals(folder: string): CommandJournal[] {
  const journals: CommandJournal[] = [];
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.ndjson'))) {
    const path = join(folder, name);
    const [first, ...rest] = readLines(path);
    if (first?.type === 'command') journals.push(journalOf(path, first.command, first.acceptedAt, rest));
    // Not even its first line was written: the command was never accepted.
    else rmSync(path);
  }
  return journals.sort((a, b) => a.acceptedAt - b.acceptedAt);
}

function journalOf(path: string, command: AgentCommand, acceptedAt: number, lines: Line[]): CommandJournal {
  const marks = new Map<string, { data: unknown }>();
  const reports = new Map<number, Report>();
  const done = new Set<string>();
  let lastSeq = 0;
  let ended = false;
  const take = (entry: Line): void => {
    if (entry.type === 'mark') marks.set(entry.name, { data: entry.data });
    if (entry.type === 'ack') reports.delete(entry.seq);
    if (entry.type !== 'report') return;
    reports.set(entry.seq, entry);
    done.add(`${entry.step} ${entry.status}`);
    lastSeq = Math.max(lastSeq, entry.seq);
    ended ||= entry.final;
  };
  lines.forEach(take);
  const write = (entry: Line, sync: boolean): void => {
    appendLines(path, [entry], sync);
    take(entry);
  };
  return {
    command,
    acceptedAt,
    mark: (name, data) => write({ type: 'mark', name, data }, true),
    marked: (name) => marks.get(name),
    append(body) {
      const made: Report = { type: 'report', commandId: command.id, seq: lastSeq + 1, ...body };
      // Log lines may be lost in a power cut; what a step came to may not.
      write(made, body.status !== 'progress');
      return made;
    },
    hasReport: (step, status) => done.has(`${step} ${status}`),
    unacknowledged: () => [...reports.values()],
    acknowledge(seq) {
      // Without sync: an acknowledgement that is lost makes one more delivery, which the server knows.
      if (reports.has(seq)) write({ type: 'ack', seq }, false);
    },
    isEnded: () => ended,
    isDelivered: () => ended && reports.size === 0,
    remove() {
      rmSync(path, { force: true });
      syncFolder(dirname(path));
    },
  };
}

function appendLines(path: string, entries: Line[], sync: boolean): void {
  const file = openSync(path, 'a', 0o600);
  try {
    writeSync(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    if (sync) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function readLines(path: string): Line[] {
  const bytes = readFileSync(path);
  const whole = bytes.lastIndexOf(0x0a) + 1;
  // The next line must not be glued to a torn one.
  if (whole < bytes.length) truncateSync(path, whole);
  const lines: Line[] = [];
  for (const text of bytes.subarray(0, whole).toString('utf8').split('\n')) {
    if (text !== '') lines.push(line.parse(JSON.parse(text)));
  }
  return lines;
}
