// The version of this program, as package.json says it.
import { readFileSync } from 'node:fs';
import path from 'node:path';

export function programVersion(): string {
  const file = path.join(__dirname, '..', '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
