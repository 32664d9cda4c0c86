// What the commands that talk to a server need of the environment: where it is, and the token. Nothing else is looked at, so
// that a client's machine need not be set up as a server.
import { ConfigError, VARIABLES } from './config';

export interface ClientSettings {
  server: string;
  token: string | undefined;
}

/** @throws ConfigError that names a wrong variable. */
export function clientSettings(env: NodeJS.ProcessEnv = process.env): ClientSettings {
  const read = (name: 'BASE_URL' | 'HOST' | 'PORT' | 'GANTRY_TOKEN'): string | undefined => {
    const parsed = VARIABLES[name].safeParse(env[name] === '' ? undefined : env[name]);
    if (parsed.success) return parsed.data === undefined ? undefined : String(parsed.data);
    const shown = name === 'GANTRY_TOKEN' ? 'a value that is not shown' : JSON.stringify(env[name]);
    throw new ConfigError(`${name} got ${shown}: ${parsed.error.issues[0]?.message ?? 'is wrong'}`);
  };
  return {
    server: read('BASE_URL') ?? `http://${read('HOST')}:${read('PORT')}`,
    token: read('GANTRY_TOKEN'),
  };
}
