// What handlers of the API may use; made once by webService.ts.
import type { Kysely } from 'kysely';
import type { Config } from '../config/config';
import type { Database } from '../db/database';
import type { DB } from '../db/generated/database';
import type { CommandDeps } from '../jobs/commandDeps';
import type { ApprovalLinks } from '../lib/approvalLink';
import type { PreviewDeps } from '../jobs/preview/previewJob';
import type { Logger } from '../lib/logger';
import type { SecretBox } from '../lib/secretBox';
import type { SigningKeys } from '../lib/signing';
import type { Queue } from '../queue/createQueue';
import type { OidcClient } from './auth/oidcClient';
import type { DenialLog } from './denials';
import type { EventHub } from './eventHub';
import type { Metrics } from './metrics';

export interface ApiDeps {
  database: Database;
  db: Kysely<DB>;
  queue: Queue;
  config: Config;
  commands: CommandDeps;
  /** What a preview lets a kind use: the rows are judged here and not by a worker. */
  previews: PreviewDeps;
  secretBox: SecretBox;
  approvalLinks: ApprovalLinks;
  serverKeys: SigningKeys;
  events: EventHub;
  metrics: Metrics;
  /** Null: people sign in by passwords only. */
  oidc: OidcClient | null;
  denials: DenialLog;
  logger: Logger;
}
