// The migrations in their order. One line each; the name is what the migration table remembers.
import type { Migration } from 'kysely';
import * as ledger from './0001-ledger';
import * as deployments from './0002-deployments';
import * as engine from './0003-engine';

export const migrations: Record<string, Migration> = {
  '0001-ledger': ledger,
  '0002-deployments': deployments,
  '0003-engine': engine,
};
