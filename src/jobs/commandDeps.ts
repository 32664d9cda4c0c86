// What every command needs, handed in by the composition root; commands reach for nothing else.
import type { Kysely } from 'kysely';
import type { Config } from '../config/config';
import type { Tx } from '../db/database';
import type { DB } from '../db/generated/database';
import type { JobRow } from '../db/queries/jobs';
import type { Waker } from '../db/wake';
import type { Catalog } from './catalog';

export interface CommandDeps {
  db: Kysely<DB>;
  catalog: Catalog;
  waker: Waker;
  /**
   * Written in the command's own transaction, after its deed; an error takes the deed back. For commands on sets, which must
   * know that their job was dealt with. `changed` false: the effect stood already.
   */
  alongside?(tx: Tx, job: JobRow, changed: boolean): Promise<void>;
  settings: CommandSettings;
}

export interface CommandSettings {
  /** Days an ended job stays; fractions allowed. */
  retentionDays: number;
  maxRows: number;
  cancelGraceMs: number;
  /** Domains, exactly matched, that a notice may go to besides users' own addresses. */
  mailAllowDomains: string[];
  /** Approvers may approve what they asked for themselves. Default false. */
  selfApproval?: boolean;
  /** A cancel must say why. Default false. */
  requireCancelReason?: boolean;
}

/** The same in every process that gives commands. */
export function commandSettings(config: Config): CommandSettings {
  return {
    retentionDays: config.retention.days,
    maxRows: config.maxRows,
    cancelGraceMs: config.cancelGraceMs,
    mailAllowDomains: config.mail.allowDomains,
    selfApproval: config.selfApproval,
    requireCancelReason: config.requireCancelReason,
  };
}
