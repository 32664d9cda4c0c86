// The log of a job as a text file, one event a line, streamed: timeline and log lines of each run in the order of time, then
// its chunks, each with its failed rows by their index in the input. However long it is, a few pages are in memory.
import type { Db } from '../../db/database';
import {
  listEndedChunks,
  listLogLines,
  listRowFaults,
  listRunEvents,
  LOG_LEVELS,
  type ChunkRow,
  type LogLevel,
  type LogLineRow,
  type RowFaultRow,
  type RunEventRow,
} from '../../db/queries/logLines';
import { escapeControls } from '../../lib/controlText';
import { maskSecrets } from '../../lib/secrets';

export interface LogWanted {
  jobId: string;
  /** From the first to the last. */
  runs: [number, number];
  /** This level and those above it; errors are in any log. */
  level: LogLevel;
}

export async function* logText(db: Db, wanted: LogWanted): AsyncGenerator<string> {
  for (let run = wanted.runs[0]; run <= wanted.runs[1]; run += 1) {
    yield* timeOrder(db, wanted, run);
    yield* rowOrder(db, wanted, run);
  }
}

async function* timeOrder(db: Db, { jobId, level }: LogWanted, run: number): AsyncGenerator<string> {
  const events = shows('info', level)
    ? each<RunEventRow>(
        (page) => listRunEvents(db, jobId, run, page),
        (row) => row.id,
      )
    : none<RunEventRow>();
  const lines = each<LogLineRow>(
    (page) => listLogLines(db, jobId, run, { ...page, level }),
    (row) => row.seq,
  );
  let event = await events.next();
  for await (const line of lines) {
    for (; !event.done && event.value.at <= line.at; event = await events.next()) yield eventLine(run, event.value);
    yield format(line.at, run, `#${line.seq}`, line.level, line.message);
  }
  for (; !event.done; event = await events.next()) yield eventLine(run, event.value);
}

async function* rowOrder(db: Db, { jobId, level }: LogWanted, run: number): AsyncGenerator<string> {
  const chunks = shows('info', level)
    ? each<ChunkRow>(
        (page) => listEndedChunks(db, jobId, run, page),
        (row) => row.chunk,
        -1,
      )
    : none<ChunkRow>();
  let chunk = await chunks.next();
  for await (const fault of each<RowFaultRow>(
    (page) => listRowFaults(db, jobId, run, page),
    (row) => row.rowIndex,
    -1,
  )) {
    for (; !chunk.done && chunk.value.firstRowIndex <= fault.rowIndex; chunk = await chunks.next())
      yield chunkLine(run, chunk.value);
    yield format(null, run, `row ${fault.rowIndex}`, 'error', `${fault.code}: ${fault.message} (try ${fault.attempt})`);
  }
  for (; !chunk.done; chunk = await chunks.next()) yield chunkLine(run, chunk.value);
}

function shows(level: LogLevel, least: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);
}

function eventLine(run: number, { at, type, actorName, data }: RunEventRow): string {
  const by = actorName === null ? '' : ` by ${actorName}`;
  return format(at, run, 'job', 'info', `${type}${by}${data === null ? '' : ` ${data}`}`);
}

const CHUNK_END: Record<string, string> = { done: 'dealt with', gave_up: 'given up', dropped: 'not dealt with' };

function chunkLine(run: number, chunk: ChunkRow): string {
  const last = chunk.rowIndexes?.at(-1) ?? chunk.firstRowIndex + chunk.rowCount - 1;
  const took =
    chunk.startedAt && chunk.finishedAt ? ` in ${chunk.finishedAt.getTime() - chunk.startedAt.getTime()} ms` : '';
  const tries = chunk.attempts > 0 ? ` after ${chunk.attempts} failed tries` : '';
  const why = chunk.errorMessage === null ? '' : `: ${chunk.errorMessage}`;
  const text = `${chunk.rowCount} rows ${CHUNK_END[chunk.state] ?? chunk.state}${took}${tries}${why}`;
  return format(
    chunk.finishedAt,
    run,
    `rows ${chunk.firstRowIndex}-${last}`,
    chunk.state === 'gave_up' ? 'warn' : 'info',
    text,
  );
}

function format(at: Date | null, run: number, place: string, level: string, text: string): string {
  const time = at?.toISOString() ?? '-'.padEnd(24);
  return `${time} run=${run} ${place} ${level.toUpperCase().padEnd(5)} ${escapeControls(maskSecrets(text))}\n`;
}

/** Rows that are held in memory at once; each may be ten thousand characters. */
const PAGE = 1000;

async function* each<Row>(
  read: (page: { after: number; limit: number }) => Promise<Row[]>,
  keyOf: (row: Row) => number,
  first = 0,
): AsyncGenerator<Row, undefined> {
  for (let after = first; ;) {
    const page = await read({ after, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = keyOf(last);
  }
}

async function* none<Row>(): AsyncGenerator<Row, undefined> {}
