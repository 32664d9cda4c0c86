// Every job kind there is: the built-in ones, those of plug-ins, and `operation.<key>` made from an operation's row.
// Called by commands, the runner and the API. To add a kind, write its file and add its line to BUILT_IN.
import type { Db } from '../db/database';
import { findOperation, listOperations } from '../db/queries/operations';
import { checkRules } from './approvals/rules';
import { checkPolicy } from './checkPolicy';
import type { Definition } from './define';
import { buildOperationDefinition, OPERATION_PREFIX } from './definitions/batch-operation';
import { deployment } from './definitions/deployment';
import { jobsExport } from './definitions/jobs.export';
import { usersDeactivate } from './definitions/users.deactivate';
import { usersImport } from './definitions/users.import';
import { usersUpdate } from './definitions/users.update';

export interface Catalog {
  /** Null when there is no such kind (any more). */
  get(kind: string): Promise<Definition | null>;
  list(): Promise<Definition[]>;
}

export interface CatalogOptions {
  /** Opens what was encrypted with SECRET_KEY. */
  openSecret(box: string): string;
  plugins?: Definition[];
}

const BUILT_IN: Definition[] = [usersImport, usersUpdate, usersDeactivate, jobsExport, deployment];

/** @throws Error when two definitions claim one kind, or a plug-in one that belongs to operations. */
export function createCatalog(db: Db, options: CatalogOptions): Catalog {
  const kinds = new Map<string, Definition>();
  for (const definition of [...BUILT_IN, ...(options.plugins ?? [])]) {
    const { kind } = definition;
    if (kinds.has(kind)) throw new Error(`two definitions claim the job kind "${kind}"`);
    checkRules(definition);
    checkPolicy(definition);
    if (kind.startsWith(OPERATION_PREFIX))
      throw new Error(`the job kind "${kind}" belongs to operations; name it otherwise`);
    kinds.set(kind, definition);
  }
  return {
    get: async (kind) => {
      if (!kind.startsWith(OPERATION_PREFIX)) return kinds.get(kind) ?? null;
      const row = await findOperation(db, kind.slice(OPERATION_PREFIX.length));
      return row ? buildOperationDefinition(row, options.openSecret) : null;
    },
    list: async () => {
      const rows = await listOperations(db, { after: null, limit: null });
      return [...kinds.values(), ...rows.map((row) => buildOperationDefinition(row, options.openSecret))];
    },
  };
}
