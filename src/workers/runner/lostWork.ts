// What is said of work that did not come to an end of its own: it took too long, or the process that it ran in died.
import { policyOf, type Definition } from '../../jobs/define';

/** Times that the process a suspect runs alone in may die, without a commit in between, before it is taken for poison. */
export const MAX_LONE_CRASHES = 3;
/** The wait before a suspect is tried again. */
export const LONE_RETRY_MS = 250;

export function poisonOf(what: string, crashes: number, how: string): { code: string; message: string } {
  const message = `The process that worked on ${what} alone died ${crashes} times in a row, last ${how}. It was not tried again.`;
  return { code: 'poison', message };
}

export function timeoutMessage(definition: Definition): string {
  const { timeoutMs } = policyOf(definition);
  return `It took longer than the ${timeoutMs} ms that "${definition.kind}" allows, and was stopped.`;
}
