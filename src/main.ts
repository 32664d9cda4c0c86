// The command line. bin/gantry.cjs calls main() once everything is installed and built. Each command loads what it needs
// when it runs, so that an agent never loads the server.
import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import path from 'node:path';

export function main(argv: string[]): void {
  void run(argv);
}

/** Faults of the configuration end with 2, every other failure with 1. */
async function run(argv: string[]): Promise<void> {
  try {
    await program().parseAsync(argv);
  } catch (error) {
    const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
    console.error(`gantry: ${message}`);
    process.exitCode = name === 'ConfigError' ? 2 : 1;
  }
}

function program(): Command {
  const gantry = new Command('gantry')
    .description('Background jobs: mass actions and deployments with progress, cancel, requeue and delete.')
    .version(version());
  const service = (name: 'start' | 'web' | 'worker', text: string): void => {
    gantry
      .command(name)
      .description(text)
      .action(() => load<typeof import('./cli/runService')>('./cli/runService').runService(name));
  };
  service('start', 'everything in one process');
  service('web', 'the API and the admin UI alone');
  service('worker', 'a worker alone');
  gantry
    .command('migrate')
    .description('bring the database schema up to date and end')
    .action(() => load<typeof import('./cli/migrate')>('./cli/migrate').migrate());
  addAccountCommands(gantry);
  gantry
    .command('agent')
    .description('the program that runs on a deployment target')
    .requiredOption('--server <url>', 'address of the Gantry server')
    .requiredOption('--root <folder>', 'where it deploys to and keeps its key')
    .option('--enrol <token>', 'enrolment token, at the first start')
    .action((options: { server: string; root: string; enrol?: string }) =>
      load<typeof import('./cli/agent')>('./cli/agent').agent(options),
    );
  gantry
    .command('demo')
    .description('a tour on rows of its own: a mass action, then a deployment to an agent')
    .option('--once', 'end when both have ended: 0 if as expected, else 1')
    .action((options: { once?: boolean }) => load<typeof import('./demo/runDemo')>('./demo/runDemo').runDemo(options));
  return gantry;
}

function addAccountCommands(gantry: Command): void {
  const user = gantry.command('user').description('accounts');
  user
    .command('create')
    .description('make an account')
    .requiredOption('--email <address>')
    .requiredOption('--name <name>')
    .requiredOption('--role <role>', 'user, power_user or superadmin')
    .option('--password <password>', 'made and printed when not given')
    .action((options: { email: string; name: string; role: string; password?: string }) =>
      load<typeof import('./cli/accounts')>('./cli/accounts').createUser(options),
    );
  const token = gantry.command('token').description('API tokens');
  token
    .command('create')
    .description('make a token for a user and print it alone')
    .requiredOption('--user <address>', "the user's e-mail address")
    .option('--name <name>', 'what the token is for', 'command line')
    .action((options: { user: string; name: string }) =>
      load<typeof import('./cli/accounts')>('./cli/accounts').createToken(options),
    );
}

/** require, not import(): the program is CommonJS, and a command loads nothing that it does not use. */
function load<M>(file: string): M {
  return require(file) as M;
}

function version(): string {
  const file = path.join(__dirname, '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

if (require.main === module) main(process.argv);
