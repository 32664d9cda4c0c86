// Values of options that may be long or secret: written out, `@FILE`, or `-` for standard input. JSON stays the text it is.
import { readFileSync } from 'node:fs';
import { CliError, EXIT } from './exitCodes';

export function textOf(option: string, given: string): string {
  const file = given === '-' ? 0 : given.startsWith('@') ? given.slice(1) : null;
  if (file === null) return given;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(`${option} could not be read: ${(error as Error).message}`, EXIT.usage);
  }
}

/** The text itself, so that digits reach the server as they were written. @throws CliError when it is no JSON. */
export function jsonTextOf(option: string, given: string): string {
  const text = textOf(option, given).trim();
  try {
    JSON.parse(text);
  } catch (error) {
    throw new CliError(`${option} takes JSON or @FILE: ${(error as Error).message}`, EXIT.usage);
  }
  return text;
}
