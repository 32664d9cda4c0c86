// What handlers of the API may use; made once by webService.ts.
import type { Kysely } from 'kysely';
import type { Config } from '../config/config';
import type { Database } from '../db/database';
import type { DB } from '../db/generated/database';
import type { CommandDeps } from '../jobs/commandDeps';
import type { Logger } from '../lib/logger';
import type { SecretBox } from '../lib/secretBox';
import type { SigningKeys } from '../lib/signing';
import type { Queue } from '../queue/createQueue';
import type { EventHub } from './eventHub';

export interface ApiDeps {
  database: Database;
  db: Kysely<DB>;
  queue: Queue;
  config: Config;
  commands: CommandDeps;
  secretBox: SecretBox;
  serverKeys: SigningKeys;
  events: EventHub;
  logger: Logger;
}
