// The one reader of the environment. Every variable is declared, checked and explained here; all faults are told together.
import { cpus } from 'node:os';
import path from 'node:path';
import { Cron } from 'croner';
import { z } from 'zod';
import { OIDC_VARIABLES, oidcOf, type OidcConfig } from './oidc';

const whole = (low: number, high: number) => z.coerce.number().int().min(low).max(high);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);

const cron = z
  .string()
  .refine(comesUp, 'takes five fields, minute to weekday, or six with seconds before, that name a time which comes');

function comesUp(text: string): boolean {
  try {
    return new Cron(text, { timezone: 'UTC', paused: true }).nextRun() !== null;
  } catch {
    return false;
  }
}

const environment = z.object({
  PORT: whole(0, 65535).default(3000).describe('listening port'),
  HOST: z.string().default('127.0.0.1').describe('listening address'),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .optional()
    .describe('PostgreSQL; not set: embedded'),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .optional()
    .describe('BullMQ on Redis; not set: BullMQ on PostgreSQL'),
  DATA_DIR: z.string().default('./.gantry').describe('embedded database, artifacts, mail files'),
  BASE_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('links in mail, cookie and origin checks'),
  ADMIN_EMAIL: z.email().optional().describe('superadmin made at first start'),
  ADMIN_PASSWORD: z.string().min(8).max(256).optional().describe('password of that superadmin'),
  SECRET_KEY: z
    .string()
    .regex(/^[0-9a-fA-F]{64,}$/, 'takes 64 hex characters or more')
    .optional()
    .describe('signs sessions and links, encrypts stored secrets'),
  ADMIN_TOKEN: z.string().min(32).optional().describe('API token given to that superadmin at first start'),
  MAIL_ALLOW_DOMAINS: list.default([]).describe("domains that notify.to may name besides users' own addresses"),
  GANTRY_PLUGINS: list.default([]).describe('modules that export job definitions'),
  GANTRY_TOKEN: z
    .string()
    .min(8)
    .optional()
    .describe('API token of the commands that talk to a server (`gantry jobs`, `operations`, `token`)'),
  SMTP_URL: z
    .url({ protocol: /^smtps?$/ })
    .optional()
    .describe('mail server; not set: DATA_DIR/mail/*.eml'),
  MAIL_FROM: z.string().default('Gantry <gantry@localhost>').describe('sender of notices'),
  WORKER_CONCURRENCY: whole(1, 1000)
    .default(2 * cpus().length)
    .describe('runs and chunks at once in one worker process'),
  RETENTION_DAYS: z.coerce
    .number()
    .positive()
    .max(36500)
    .default(14)
    .describe('days an ended job stays, fractions allowed'),
  RETENTION_CRON: cron.default('*/10 * * * *').describe('when the retention duty runs (cron, seconds optional)'),
  DIGEST_CRON: cron.default('0 * * * *').describe('when digests of notices go out (cron, seconds optional)'),
  ALERT_AFTER_MS: whole(1000, 86_400_000)
    .default(300_000)
    .describe('how long jobs wait unworked, or mail fails three times as long, before superadmins are told'),
  RETENTION_WINDOW: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/, 'takes two times of day in UTC, such as 01:00-05:30')
    .optional()
    .describe('time of day in which the retention duty may work, UTC; not set: any'),
  STARVATION_MINUTES: z.coerce
    .number()
    .positive()
    .max(100_000)
    .default(60)
    .describe('a job that waited so long goes before those of higher priority'),
  REQUIRE_CANCEL_REASON: z.stringbool().default(false).describe('whether a cancel must say why'),
  RATE_LIMIT_PER_MINUTE: whole(1, 1_000_000).default(6000).describe('signed-in calls per token or session'),
  SHUTDOWN_GRACE_MS: whole(0, 600_000).default(10_000).describe('time for work in hand at SIGTERM'),
  CANCEL_GRACE_MS: whole(0, 600_000).default(5_000).describe('time that canceled work gets to stop by itself'),
  LEASE_MS: whole(500, 600_000).default(15_000).describe('how long a silent worker keeps what it holds'),
  MAX_UPLOAD_MB: whole(1, 1_000_000).default(2048).describe('limit of one upload'),
  MAX_ROWS: whole(1, 1_000_000_000).default(10_000_000).describe('limit of rows of one upload'),
  OPERATIONS_ALLOW_HOSTS: list
    .default([])
    .describe('private or loopback hosts and CIDR blocks that operations may call'),
  LOG_LIMIT_MB: z.coerce
    .number()
    .min(0.001)
    .max(100_000)
    .default(10)
    .describe('log of one run; beyond it only errors are kept'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('collector that traces are sent to by OTLP over HTTP; not set: no traces'),
  ALLOW_SELF_APPROVAL: z
    .stringbool({ truthy: ['true'], falsy: ['false'] })
    .default(false)
    .describe('whether approvers may approve their own requests; for installations with one superadmin'),
  ...OIDC_VARIABLES,
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('least level that is logged'),
});

export const VARIABLES = environment.shape;

export interface Config {
  port: number;
  host: string;
  databaseUrl: string | undefined;
  redisUrl: string | undefined;
  dataDir: string;
  baseUrl: string;
  admin: { email: string | undefined; password: string | undefined; token: string | undefined };
  secretKey: string | undefined;
  mail: { smtpUrl: string | undefined; from: string; allowDomains: string[] };
  plugins: string[];
  workerConcurrency: number;
  retention: { days: number; cron: string; window: string | undefined };
  digestCron: string;
  alertAfterMs: number;
  starvationMs: number;
  requireCancelReason: boolean;
  rateLimitPerMinute: number;
  shutdownGraceMs: number;
  cancelGraceMs: number;
  leaseMs: number;
  maxUploadBytes: number;
  maxRows: number;
  operationsAllowHosts: string[];
  /** Null: people sign in by passwords only. */
  oidc: OidcConfig | null;
  selfApproval: boolean;
  logLevel: string;
  logLimitBytes: number;
  /** Base address of an OTLP collector. */
  tracesEndpoint: string | undefined;
}

export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Reads all variables at once. @throws ConfigError that names each wrong variable, what it got and what it takes. */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(
    Object.keys(VARIABLES).map((name) => [name, env[name] === '' ? undefined : env[name]]),
  );
  const parsed = environment.safeParse(given);
  const faults = parsed.success
    ? []
    : parsed.error.issues.map((issue) => fault(String(issue.path[0]), given, issue.message));
  const value = parsed.data;
  if (given['DATABASE_URL'] && !given['SECRET_KEY']) {
    faults.push(
      'SECRET_KEY is not set; with a DATABASE_URL it takes 64 hex characters or more, the same for all processes',
    );
  }
  const oidc = value ? oidcOf(value, faults) : null;
  if (faults.length > 0 || !value) throw new ConfigError(faults.join('\n'));
  return {
    port: value.PORT,
    host: value.HOST,
    databaseUrl: value.DATABASE_URL,
    redisUrl: value.REDIS_URL,
    dataDir: path.resolve(value.DATA_DIR),
    baseUrl: (value.BASE_URL ?? `http://${value.HOST}:${value.PORT}`).replace(/\/$/, ''),
    admin: { email: value.ADMIN_EMAIL, password: value.ADMIN_PASSWORD, token: value.ADMIN_TOKEN },
    secretKey: value.SECRET_KEY,
    mail: { smtpUrl: value.SMTP_URL, from: value.MAIL_FROM, allowDomains: value.MAIL_ALLOW_DOMAINS },
    plugins: value.GANTRY_PLUGINS,
    workerConcurrency: value.WORKER_CONCURRENCY,
    retention: { days: value.RETENTION_DAYS, cron: value.RETENTION_CRON, window: value.RETENTION_WINDOW },
    digestCron: value.DIGEST_CRON,
    alertAfterMs: value.ALERT_AFTER_MS,
    starvationMs: value.STARVATION_MINUTES * 60_000,
    requireCancelReason: value.REQUIRE_CANCEL_REASON,
    rateLimitPerMinute: value.RATE_LIMIT_PER_MINUTE,
    shutdownGraceMs: value.SHUTDOWN_GRACE_MS,
    cancelGraceMs: value.CANCEL_GRACE_MS,
    leaseMs: value.LEASE_MS,
    maxUploadBytes: value.MAX_UPLOAD_MB * 1024 * 1024,
    maxRows: value.MAX_ROWS,
    operationsAllowHosts: value.OPERATIONS_ALLOW_HOSTS,
    oidc,
    selfApproval: value.ALLOW_SELF_APPROVAL,
    logLevel: value.LOG_LEVEL,
    logLimitBytes: value.LOG_LIMIT_MB * 1_000_000,
    tracesEndpoint: value.OTEL_EXPORTER_OTLP_ENDPOINT,
  };
}

/** Values for variables that the environment leaves open, such as the demo's own; '' in `forced` unsets one for good. */
export function environmentWith(
  standard: Record<string, string>,
  forced: Record<string, string> = {},
): NodeJS.ProcessEnv {
  const given = Object.entries(process.env).filter(([, value]) => value !== undefined && value !== '');
  return { ...standard, ...Object.fromEntries(given), ...forced };
}

/** Whether npm runs this process as a script (`npm start`), and not `npx` or a shell. */
export function isStartedByNpm(env: NodeJS.ProcessEnv = process.env): boolean {
  return env['npm_lifecycle_event'] === 'start' || env['npm_lifecycle_event'] === 'demo';
}

const SECRET = /PASSWORD|SECRET|TOKEN|_URL/;

function fault(name: string, given: Record<string, string | undefined>, message: string): string {
  const got = SECRET.test(name) ? 'a value that is not shown' : JSON.stringify(given[name] ?? null);
  return `${name} got ${got}: ${message}`;
}
