// Collects the log lines of a step and hands them on in pieces: soon enough to be read live, few enough not to flood the link.
// Called by runCommand; limits what one command may send, so that a chatty program cannot fill the disk or the server.
import { StringDecoder } from 'node:string_decoder';
import { cleanText } from '../lib/errors';

export interface StepLog {
  line(text: string): void;
  /** For one stream of a program: splits it into lines. */
  stream(): { write(bytes: Buffer): void; end(): void };
  /** Hands on what is left; lines that come later are dropped. */
  close(): void;
}

/** Live enough for a reader, and at most four reports a second. */
const EVERY_MS = 250;
const PIECE_CHARS = 32_000;
const MAX_LINE_CHARS = 8_000;

export interface LogBudget {
  /** Characters that the command may still send. */
  left: number;
}

export function createStepLog(budget: LogBudget, send: (text: string) => void): StepLog {
  let waiting = '';
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  const flush = (): void => {
    if (timer) clearTimeout(timer);
    timer = null;
    const text = waiting;
    waiting = '';
    if (text !== '') send(text);
  };
  const line = (text: string): void => {
    if (closed || budget.left <= 0) return;
    const cut = text.length > MAX_LINE_CHARS ? `${text.slice(0, MAX_LINE_CHARS)} … (line cut)` : text;
    let clean = `${cleanText(cut)}\n`;
    budget.left -= clean.length;
    if (budget.left <= 0) clean += '… (the log is full; the rest of the output is left out)\n';
    waiting += clean;
    if (waiting.length >= PIECE_CHARS) return flush();
    timer ??= setTimeout(flush, EVERY_MS);
  };
  return {
    line,
    close() {
      flush();
      closed = true;
    },
    stream() {
      const decoder = new StringDecoder('utf8');
      let rest = '';
      const take = (text: string): void => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const whole of lines) line(whole.replace(/\r$/, ''));
        // A program that never ends its line must not fill our memory.
        if (rest.length > MAX_LINE_CHARS) {
          line(rest);
          rest = '';
        }
      };
      return {
        write: (bytes) => take(decoder.write(bytes)),
        end() {
          take(decoder.end());
          if (rest !== '') line(rest);
          rest = '';
        },
      };
    },
  };
}
