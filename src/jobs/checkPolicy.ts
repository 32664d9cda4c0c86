// Refuses a kind whose policy cannot be kept, when the catalogue is made: a plug-in's author hears of it at the start, not a
// worker in the night. Called by catalog.ts.
import { policyOf, type Definition } from './define';

/** @throws Error that names the kind, the field and what it takes. */
export function checkPolicy(definition: Definition): void {
  const { timeoutMs, retentionDays, durationTolerancePercent } = policyOf(definition);
  const refuse = (field: string, takes: string): never => {
    throw new Error(`the policy of the job kind "${definition.kind}" says ${field} wrongly: it takes ${takes}`);
  };
  if (timeoutMs !== null && !(Number.isInteger(timeoutMs) && timeoutMs > 0)) {
    refuse('timeoutMs', 'whole milliseconds above 0, or null for no limit');
  }
  if (retentionDays !== null && !(retentionDays > 0 && retentionDays <= 36_500)) {
    refuse('retentionDays', 'days above 0 and at most 36500, or null for RETENTION_DAYS');
  }
  if (!(durationTolerancePercent >= 0 && Number.isFinite(durationTolerancePercent))) {
    refuse('durationTolerancePercent', 'a percentage, 0 or more');
  }
}
