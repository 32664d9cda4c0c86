// The command line. bin/gantry.cjs calls main() once everything is installed and built. What there is to call is declared in
// cli/program.ts; how it ends in cli/exitCodes.ts.
import { createProgram, exitCodeOfThrown } from './cli/program';
import { programVersion } from './cli/programVersion';

export function main(argv: string[]): void {
  void run(argv);
}

/** Sets the exit code; never throws. */
export async function run(argv: string[]): Promise<void> {
  try {
    await createProgram(programVersion()).parseAsync(argv);
  } catch (error) {
    process.exitCode = exitCodeOfThrown(error);
    const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
    // Commander has said by itself what it does not take.
    if (name !== 'CommanderError') console.error(`gantry: ${message}`);
  }
}

if (require.main === module) main(process.argv);
