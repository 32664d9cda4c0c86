// Declares every command with its options; docs/generated/cli.md is made of this. What a command does is loaded when it runs.
import { Command, CommanderError } from 'commander';
import { addClientCommands } from './clientCommands';
import { EXIT } from './exitCodes';
import { load } from './load';

export function createProgram(version: string): Command {
  const gantry = new Command('gantry')
    .description('Background jobs: mass actions and deployments with progress, cancel, requeue and delete.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(gantry … --help says what there is)');
  addServices(gantry);
  addAccounts(gantry);
  addClientCommands(gantry);
  addSafekeeping(gantry);
  return gantry;
}

/** How a run of the program that threw ends. */
export function exitCodeOfThrown(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const { name, exitCode } = (error ?? {}) as { name?: string; exitCode?: unknown };
  if (name === 'ConfigError') return EXIT.usage;
  return typeof exitCode === 'number' ? exitCode : EXIT.fault;
}

function addServices(gantry: Command): void {
  const service = (name: 'start' | 'web' | 'worker', text: string): void => {
    gantry
      .command(name)
      .description(text)
      .action(() => load.runService().runService(name));
  };
  service('start', 'everything in one process');
  service('web', 'the API and the admin UI alone');
  service('worker', 'a worker alone');
  gantry
    .command('migrate')
    .description('bring the database schema up to date and end')
    .action(() => load.migrate().migrate());
  gantry
    .command('agent')
    .description('the program that runs on a deployment target')
    .requiredOption('--server <url>', 'address of the Gantry server')
    .requiredOption('--root <folder>', 'where it deploys to and keeps its key')
    .option('--enrol <token>', 'enrolment token, at the first start')
    .action((options) => load.agent().agent(options));
  gantry
    .command('demo')
    .description('a tour on rows of its own: a mass action, then a deployment to an agent')
    .option('--once', 'end when both have ended: 0 if as expected, else 1')
    .action((options) => load.demo().runDemo(options));
}

function addAccounts(gantry: Command): void {
  const user = gantry.command('user').description('accounts, on the database itself');
  user
    .command('create')
    .description('make an account')
    .requiredOption('--email <address>', 'its e-mail address')
    .requiredOption('--name <name>', 'its name')
    .requiredOption('--role <role>', 'user, power_user or superadmin')
    .option('--password <password>', 'made and printed when not given')
    .action((options) => load.accounts().createUser(options));
}

function addSafekeeping(gantry: Command): void {
  gantry
    .command('backup')
    .description('write ledger and artifacts to one file: a consistent snapshot, while Gantry runs or not')
    .requiredOption('--to <file>', 'the archive to write (tar.gz); it holds secrets and is readable by its owner alone')
    .option('--json', 'what was written, as JSON on standard output')
    .action((options) => load.backup().backup(options));
  gantry
    .command('restore')
    .description('put an archive back; the whole of it is checked before anything is written')
    .requiredOption('--from <file>', 'the archive to read')
    .option('--replace', 'also where there are jobs or accounts already: they are gone afterwards')
    .option('--json', 'what was restored, as JSON on standard output')
    .action((options) => load.restore().restore(options));
}
