// The command line. bin/gantry.cjs calls main() once everything is installed and built. What there is to call is declared in
// cli/program.ts; how it ends in cli/exitCodes.ts.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createProgram, exitCodeOfThrown } from './cli/program';

export function main(argv: string[]): void {
  void run(argv);
}

async function run(argv: string[]): Promise<void> {
  try {
    await createProgram(version()).parseAsync(argv);
  } catch (error) {
    process.exitCode = exitCodeOfThrown(error);
    const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
    // Commander has said by itself what it does not take.
    if (name !== 'CommanderError') console.error(`gantry: ${message}`);
  }
}

function version(): string {
  const file = path.join(__dirname, '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

if (require.main === module) main(process.argv);
