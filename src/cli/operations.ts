// `gantry operations add | list`: mass actions without code, by the API.
import type { z } from 'zod';
import type { operationDoc } from '../api/contract/operations';
import { printJson, printTable, say, withClient, type ClientOptions } from './clientCommand';
import { CliError, EXIT } from './exitCodes';
import { collect } from './readJobs';
import { jsonTextOf, textOf } from './textArgument';

type OperationDoc = z.infer<typeof operationDoc>;

export interface AddOptions extends ClientOptions {
  key?: string;
  title?: string;
  endpoint?: string;
  menu?: string;
  chunkSize?: number;
  concurrency?: number;
  rate?: number;
  timeoutMs?: number;
  secret?: string;
  dryRun?: boolean;
  undo?: boolean;
  needsApproval?: boolean;
  role?: string[];
  paramsSchema?: string;
  rowSchema?: string;
  from?: string;
}

/** Options win over what the file of --from says. */
export function add(options: AddOptions): Promise<void> {
  const given = {
    key: options.key,
    title: options.title,
    endpoint: options.endpoint,
    menu: options.menu,
    chunkSize: options.chunkSize,
    concurrency: options.concurrency,
    ratePerSecond: options.rate,
    timeoutMs: options.timeoutMs,
    secret: options.secret === undefined ? undefined : textOf('--secret', options.secret).trim(),
    supportsDryRun: options.dryRun,
    supportsUndo: options.undo,
    needsApproval: options.needsApproval,
    roles: options.role,
    paramsSchema: schemaOf('--params-schema', options.paramsSchema),
    rowSchema: schemaOf('--row-schema', options.rowSchema),
  };
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const file = options.from === undefined ? {} : (JSON.parse(jsonTextOf('--from', `@${options.from}`)) as object);
  const operation: Record<string, unknown> = { ...file, ...named };
  const missing = ['key', 'title', 'endpoint'].filter((name) => operation[name] === undefined);
  if (missing.length > 0) {
    throw new CliError(`missing: ${missing.map((name) => `--${name}`).join(', ')} (or a file by --from)`, EXIT.usage);
  }
  return withClient(options, async (client) => {
    const made = await client.send<OperationDoc>('POST', '/operations', operation);
    if (options.json) return printJson(made);
    console.log(made.kind);
    say(`Send rows through it: gantry jobs start --kind ${made.kind} --rows FILE`);
  });
}

function schemaOf(option: string, given: string | undefined): unknown {
  return given === undefined ? undefined : (JSON.parse(jsonTextOf(option, given)) as unknown);
}

export function list(options: ClientOptions): Promise<void> {
  return withClient(options, async (client) => {
    const page = await collect<OperationDoc>(client, '/operations', {}, Number.MAX_SAFE_INTEGER);
    if (options.json) return printJson(page);
    printTable(
      ['KIND', 'TITLE', 'ENDPOINT', 'CHUNK', 'ROLES'],
      page.items.map((one) => [one.kind, one.title, one.endpoint, String(one.chunkSize), one.roles.join(',')]),
    );
  });
}
