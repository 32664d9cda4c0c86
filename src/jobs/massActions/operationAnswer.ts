// Reads what an endpoint answered. Nothing in it is trusted: wrong results are left out, and their rows fail as `no_result`.
import type { OperationAnswer, RowResult } from '../define';

const MAX_MESSAGE = 2000;

export function readAnswer(body: string): OperationAnswer {
  const value = parse(body);
  const results = isRecord(value) ? value['results'] : undefined;
  if (Array.isArray(results)) return { type: 'results', results: results.flatMap(readResult) };
  return {
    type: 'refused',
    code: 'bad_answer',
    message: 'The endpoint answered without { "results": [ … ] }; what became of the rows is unknown.',
  };
}

/** The reason in an answer of 4xx: a problem document's words, a message, or the text itself. */
export function readRefusal(body: string): string | null {
  const value = parse(body);
  const text = isRecord(value)
    ? (textOf(value['detail']) ?? textOf(value['message']) ?? textOf(value['error']) ?? textOf(value['title']))
    : textOf(value === undefined ? body : value);
  return text === null ? null : text.slice(0, MAX_MESSAGE);
}

function readResult(value: unknown): RowResult[] {
  if (!isRecord(value)) return [];
  const { rowIndex, success, skipped, code, message, before, after } = value;
  if (!Number.isSafeInteger(rowIndex) || typeof success !== 'boolean') return [];
  return [
    {
      rowIndex: rowIndex as number,
      success,
      ...(skipped === true ? { skipped } : {}),
      ...(typeof code === 'string' ? { code } : {}),
      ...(typeof message === 'string' ? { message } : {}),
      ...(isRecord(before) ? { before } : {}),
      ...(isRecord(after) ? { after } : {}),
    },
  ];
}

function textOf(value: unknown): string | null {
  if (isRecord(value)) return textOf(value['message']);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
