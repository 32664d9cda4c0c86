// The package entry point: what `import { defineJob } from 'gantry'` gives to a package with job kinds of its own.
// It starts nothing and opens nothing; what is exported here is a promise to plug-ins, and changes only with a line in CHANGELOG.md.

/**
 * The zod that the server checks parameters with, and the `sql` of its query builder: take them from here. A copy of your own
 * works while its version is close to ours, and fails in odd places when it is not.
 */
export { z } from 'zod';
export { sql } from 'kysely';

export { defineJob, defineMassAction, defineProcess } from './jobs/define';
export type {
  Advance,
  ApprovalRules,
  ChunkContext,
  ChunkOutcome,
  Definition,
  HandlerDeps,
  JobContext,
  JobDefinition,
  JsonObject,
  MassActionDefinition,
  OperationAnswer,
  OperationCall,
  Policy,
  PreviewRow,
  ProcessContext,
  ProcessDefinition,
  Row,
  RowResult,
  Severity,
  UndoRow,
} from './jobs/define';
/** The ledger as `ctx.db`, and the transaction of a chunk or tick as `ctx.tx`. */
export type { Db, Tx } from './db/handles';
/** Throw it for a fault that no retry can mend, and the other to be run again later. */
export { PermanentJobError, RetryLaterError } from './lib/errors';
