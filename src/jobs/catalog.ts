// Every job kind there is: the built-in ones, those of plug-ins, and `operation.<key>` made from an operation's row.
// Called by commands, the runner and the API. To add a kind, write its file and add its line to BUILT_IN.
import type { Db } from '../db/database';
import type { Definition } from './define';

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

const BUILT_IN: Definition[] = [];

/** @throws Error when two definitions claim one kind. */
export function createCatalog(_db: Db, options: CatalogOptions): Catalog {
  const kinds = new Map<string, Definition>();
  for (const definition of [...BUILT_IN, ...(options.plugins ?? [])]) {
    if (kinds.has(definition.kind)) throw new Error(`two definitions claim the job kind "${definition.kind}"`);
    kinds.set(definition.kind, definition);
  }
  return {
    get: (kind) => Promise.resolve(kinds.get(kind) ?? null),
    list: () => Promise.resolve([...kinds.values()]),
  };
}
