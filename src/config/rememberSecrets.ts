// Tells the masking of logs which values of the configuration are secrets. Called by whatever composes a process.
import { rememberPasswordOf, rememberSecret } from '../lib/secrets';
import type { Config } from './config';

/** From here on none of them reaches a log. */
export function rememberSecretsOf(config: Config): void {
  [config.secretKey, config.admin.password, config.admin.token].forEach(rememberSecret);
  [config.databaseUrl, config.redisUrl, config.mail.smtpUrl, config.tracesEndpoint].forEach(rememberPasswordOf);
}
