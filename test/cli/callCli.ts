// The command line within the test's own process, for the many calls where a process of its own would prove nothing more. What it
// writes is collected; one call at a time.
import { run } from '../../src/main';
import type { CliResult } from './runCli';

export async function callCli(args: string[]): Promise<CliResult> {
  const written = { stdout: '', stderr: '' };
  const { isTTY } = process.stderr;
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((...given: unknown[]) => {
      written[name] += String(given[0]);
      const done = given[given.length - 1];
      if (typeof done === 'function') (done as () => void)();
      return true;
    }),
  );
  // Jest's console prints by itself.
  spies.push(
    jest.spyOn(console, 'log').mockImplementation((text: string) => void (written.stdout += `${text}\n`)) as never,
    jest.spyOn(console, 'error').mockImplementation((text: string) => void (written.stderr += `${text}\n`)) as never,
  );
  process.stderr.isTTY = false;
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    await run(['node', 'gantry', ...args]);
    return { code: Number(process.exitCode), ...written };
  } finally {
    process.exitCode = before;
    process.stderr.isTTY = isTTY;
    spies.forEach((spy) => spy.mockRestore());
  }
}
