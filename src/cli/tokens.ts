// `gantry token create | list | revoke` by the API. Without --server and --token, `create --user` works on the database itself
// (accounts.ts), since the first token cannot be had by a token.
import type { z } from 'zod';
import type { tokenDoc, userDoc } from '../api/contract/people';
import { printJson, printTable, say, withClient, type ClientOptions } from './clientCommand';
import { CliError, EXIT } from './exitCodes';
import { collect } from './readJobs';

type TokenDoc = z.infer<typeof tokenDoc>;
type UserDoc = z.infer<typeof userDoc>;

export interface CreateOptions extends ClientOptions {
  user?: string;
  name: string;
  expiresAt?: string;
}

export function create(options: CreateOptions): Promise<void> {
  return withClient(options, async (client) => {
    let userId: string | undefined;
    if (options.user !== undefined) {
      const wanted = options.user.toLowerCase();
      const { items } = await collect<UserDoc>(client, '/users', {}, Number.MAX_SAFE_INTEGER);
      userId = items.find(({ email }) => email === wanted)?.id;
      if (userId === undefined) throw new CliError(`There is no account of ${options.user} there.`, EXIT.refused);
    }
    const body = { name: options.name, userId, expiresAt: options.expiresAt };
    const made = await client.send<TokenDoc & { token: string }>('POST', '/tokens', body);
    if (options.json) return printJson(made);
    console.log(made.token);
    say('It is shown only now. Revoke it: gantry token revoke ' + made.id);
  });
}

export function list(options: ClientOptions): Promise<void> {
  return withClient(options, async (client) => {
    const page = await collect<TokenDoc>(client, '/tokens', {}, Number.MAX_SAFE_INTEGER);
    if (options.json) return printJson(page);
    printTable(
      ['ID', 'NAME', 'USER', 'CREATED', 'EXPIRES', 'LAST USED'],
      page.items.map((one) => [
        one.id,
        one.name,
        one.userId,
        one.createdAt,
        one.expiresAt ?? 'never',
        one.lastUsedAt ?? 'never',
      ]),
    );
  });
}

export function revoke(tokenId: string, options: ClientOptions): Promise<void> {
  return withClient(options, async (client) => {
    await client.send('DELETE', `/tokens/${encodeURIComponent(tokenId)}`);
    if (options.json) printJson({ id: tokenId, revoked: true });
    say('Revoked: whoever calls with it is refused from now on.');
  });
}
