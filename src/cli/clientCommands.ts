// The commands that talk to a server by its public API: jobs, operations, tokens.
import type { Command } from 'commander';
import { addClientOptions, oneOf, wholeNumber } from './clientCommand';
import { load } from './load';

export function addClientCommands(gantry: Command): void {
  const jobs = gantry.command('jobs').description('start, follow and steer jobs on a server');
  addStart(jobs);
  addReading(jobs);
  addSteering(jobs);
  const operations = gantry.command('operations').description('mass actions without code, on a server');
  addOperations(operations);
  const token = gantry.command('token').description('API tokens');
  addTokens(token);
}

/** A subcommand with the options that all of them have. */
function sub(parent: Command, name: string, text: string): Command {
  return addClientOptions(parent.command(name).description(text));
}

const WATCH = 'follow it until it ends or waits for a decision; the exit code says how';

function addStart(jobs: Command): void {
  const whatToSend = (command: Command): Command =>
    command
      .requiredOption('--kind <kind>', 'job kind, such as users.import or operation.KEY')
      .option('--params <json>', 'parameters: JSON, @FILE, or - for standard input')
      .option('--rows <file>', 'rows: a CSV or NDJSON file, or - for standard input; streamed, of any size')
      .option(
        '--format <format>',
        'csv or ndjson, where the name of the file does not say it',
        oneOf('--format', ['csv', 'ndjson'] as const),
      );
  whatToSend(sub(jobs, 'start', 'start a job; prints its id'))
    .option('--title <title>', "what it is called; default: its kind's title")
    .option('--trial <n>', 'deal with the first n rows, then wait for a decision', wholeNumber('--trial', 1))
    .option('--max-failed <n>', 'rest once more than n rows have failed', wholeNumber('--max-failed', 0))
    .option(
      '--max-failed-percent <n>',
      'rest once more than this share has failed',
      wholeNumber('--max-failed-percent', 0, 100),
    )
    .option(
      '--at-limit <what>',
      'pause or fail, once the limit is passed',
      oneOf('--at-limit', ['pause', 'fail'] as const),
    )
    .option('--priority <n>', '-100 to 100, higher first', wholeNumber('--priority', -100, 100))
    .option('--run-at <time>', 'not before then (ISO 8601 with offset)')
    .option('--no-mail', 'no e-mail when it ends')
    .option('--mail-to <address>', 'another address for that e-mail')
    .option('--idempotency-key <key>', 'the same key and content start one job, however often it is sent')
    .option('--watch', WATCH)
    .action((options) => load.startJob().start(options));
  whatToSend(sub(jobs, 'preview', 'what a job would do with its first rows; changes nothing')).action((options) =>
    load.startJob().preview(options),
  );
}

function addReading(jobs: Command): void {
  sub(jobs, 'list', 'jobs, newest first')
    .option('--scope <scope>', 'mine or all')
    .option('--group <group>', 'all, processed or unprocessed')
    .option('--state <states>', 'with commas; - before one excludes it')
    .option('--kind <kinds>', 'with commas; - before one excludes it')
    .option('--owner <owner>', 'e-mail address or id')
    .option('--q <text>', 'in title, kind, id and owner; * and ? stand for anything')
    .option('--since <time>', 'ISO 8601 or relative, such as -10d')
    .option('--until <time>', 'ISO 8601 or relative')
    .option('--time-zone <zone>', 'IANA time zone of relative times')
    .option('--sort <order>', 'createdAt, finishedAt or priority; - before it: falling')
    .option('--limit <n>', 'how many in all', wholeNumber('--limit', 1), 50)
    .action((options) => load.readJobs().list(options));
  sub(jobs, 'show', 'one job')
    .argument('<id>', 'id of the job')
    .action((id: string, options) => load.readJobs().show(id, options));
  sub(jobs, 'watch', 'follow a job until it ends or waits for a decision; Ctrl-C lets go of it, and it goes on')
    .argument('<id>', 'id of the job')
    .action((id: string, options) => load.watchJob().watch(id, options));
  const run = wholeNumber('--run', 1);
  sub(jobs, 'errors', 'the failed rows of a run, grouped by cause')
    .argument('<id>', 'id of the job')
    .option('--run <n>', 'of that run; default: the latest', run)
    .option('--csv <file>', 'the rows themselves with the reason, to be mended and sent again; - for standard output')
    .option('--ndjson <file>', 'the same as NDJSON')
    .action((id: string, options) => load.readJobs().errors(id, options));
  sub(jobs, 'log', 'the whole log of a job')
    .argument('<id>', 'id of the job')
    .option('--run <n>', 'of that run; default: the latest', run)
    .action((id: string, options) => load.readJobs().log(id, options));
  sub(jobs, 'download', 'the file that a job made, such as an export')
    .argument('<id>', 'id of the job')
    .requiredOption('--to <file>', 'where to; - for standard output')
    .action((id: string, options) => load.readJobs().download(id, options));
}

function addSteering(jobs: Command): void {
  const steer = (action: 'cancel' | 'requeue' | 'pause' | 'resume' | 'undo', text: string): Command =>
    sub(jobs, action, text)
      .argument('<id>', 'id of the job')
      .option('--watch', WATCH)
      .action((id: string, options) => load.steerJobs().steer(action, id, options));
  steer('cancel', 'stop a job; what was done stays done').option('--reason <text>', 'kept with the job');
  steer('requeue', 'run an ended job again').option(
    '--only <rows>',
    'failed or unfinished rows alone',
    oneOf('--only', ['failed', 'unfinished'] as const),
  );
  steer('pause', 'rest between two chunks');
  steer('resume', 'go on after a pause, a trial or a limit');
  steer('undo', 'take an ended job back by a new job, which puts earlier values back');
}

function addOperations(operations: Command): void {
  const repeated = (value: string, before: string[] = []): string[] => [...before, value];
  sub(operations, 'add', 'make an operation; prints its job kind')
    .option('--key <key>', 'its key: the job kind is operation.KEY')
    .option('--title <title>', 'what it is called')
    .option('--endpoint <url>', 'where chunks of rows are POSTed to')
    .option('--menu <path>', 'where the start dialog shows it, with /')
    .option('--chunk-size <n>', 'rows a call', wholeNumber('--chunk-size', 1, 1000))
    .option('--concurrency <n>', 'calls of one job at once', wholeNumber('--concurrency', 1, 100))
    .option('--rate <n>', 'rows a second over all jobs', wholeNumber('--rate', 1))
    .option('--timeout-ms <n>', 'limit of one call', wholeNumber('--timeout-ms', 100))
    .option('--secret <secret>', 'signs the calls; @FILE or - keep it out of the list of processes')
    .option('--dry-run', 'the endpoint takes dryRun, for previews')
    .option('--undo', 'the endpoint answers `before`, and takes `undo`')
    .option('--needs-approval', 'jobs wait for an approval')
    .option('--role <role>', 'who may start it; may be given several times', repeated)
    .option('--params-schema <json>', 'JSON Schema of the parameters: JSON or @FILE')
    .option('--row-schema <json>', 'JSON Schema of a row: JSON or @FILE')
    .option('--from <file>', 'all of it as JSON, as POST /operations takes it; options win')
    .action((options) => load.operations().add(options));
  sub(operations, 'list', 'operations by key').action((options) => load.operations().list(options));
}

function addTokens(token: Command): void {
  sub(
    token,
    'create',
    'make a token and print it alone; with --user and neither --server nor --token: on the database itself, beside it',
  )
    .option('--user <address>', "the user's e-mail address; without it: a token of one's own, by the server")
    .option('--name <name>', 'what the token is for', 'command line')
    .option('--expires-at <time>', 'ISO 8601 with offset; only by the server')
    .action((options) => {
      const isLocal = options.user !== undefined && options.server === undefined && options.token === undefined;
      return isLocal ? load.accounts().createToken(options) : load.tokens().create(options);
    });
  sub(token, 'list', 'own tokens; a superadmin sees all').action((options) => load.tokens().list(options));
  sub(token, 'revoke', 'delete a token')
    .argument('<id>', 'id of the token')
    .action((id: string, options) => load.tokens().revoke(id, options));
}
