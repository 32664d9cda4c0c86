// What every command needs, handed in by the composition root; commands reach for nothing else.
import type { Kysely } from 'kysely';
import type { DB } from '../db/generated/database';
import type { Waker } from '../db/wake';
import type { Catalog } from './catalog';

export interface CommandDeps {
  db: Kysely<DB>;
  catalog: Catalog;
  waker: Waker;
  settings: {
    /** Days an ended job stays; fractions allowed. */
    retentionDays: number;
    maxRows: number;
    cancelGraceMs: number;
    /** Domains, exactly matched, that a notice may go to besides users' own addresses. */
    mailAllowDomains: string[];
  };
}
