// Starting jobs: the catalogue, and POST /jobs as JSON or as a streamed upload, with the Idempotency-Key.
import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { findReservedJob, reservationOf } from './idempotentStart';
import { releaseKey, reserveKey } from '../../db/queries/idempotency';
import type { JobRow } from '../../db/queries/jobs';
import type { Actor } from '../../jobs/actor';
import { createJob, findKind, type CreateJobInput } from '../../jobs/commands/createJob';
import { discardStaged, stageJsonRows, stageRows, type StagedInput } from '../../jobs/commands/stageRows';
import { policyOf, type Definition } from '../../jobs/define';
import { GantryError, invalid } from '../../lib/errors';
import { newId } from '../../lib/ids';
import { isTooDeep, MAX_JSON_DEPTH } from '../../lib/jsonDepth';
import { canonicalJson } from '../../lib/signing';
import { z, type ZodType } from 'zod';
import type { ApiDeps } from '../apiDeps';
import { idCursor } from '../contract/common';
import { implement, type Route } from '../contract/endpoint';
import * as contract from '../contract/jobs';
import { jsonBody } from '../jsonBody';
import { memberText } from '../memberText';
import { paged } from '../paged';
import { readUpload, type Upload } from '../readUpload';
import { showJob } from './showJob';

type JobBody = z.infer<typeof contract.startJobBody>;

const ROUTE = 'POST /jobs';

export const jobStartRoutes: Route[] = [
  implement(contract.listJobKinds, async ({ query, actor, deps }) => {
    const open = (await deps.commands.catalog.list()).filter(
      (definition) => definition.roles.includes(actor.role) && definition.shape !== 'process',
    );
    const numbered = open.map((definition, place) => ({ definition, place }));
    return paged(
      query,
      idCursor,
      ({ after, limit }) => Promise.resolve(numbered.slice(after ? after[0] + 1 : 0).slice(0, limit)),
      ({ place }) => [place],
      (rows) => rows.map(({ definition }) => presentKind(definition)),
    );
  }),
  implement(contract.startJob, async ({ actor, deps, request, response }) => {
    const isUpload = request.is('multipart/form-data');
    if (!isUpload && !request.is('application/json')) {
      throw new GantryError(
        'wrong_type',
        'A job is started by JSON (application/json) or by an upload (multipart/form-data). No job was made.',
      );
    }
    await (isUpload ? startByUpload(deps, actor, request, response) : startByJson(deps, actor, request, response));
  }),
];

async function startByJson(deps: ApiDeps, actor: Actor, request: Request, response: Response): Promise<void> {
  const text = await readJsonText(request, response);
  const body = parseBody(text);
  const { rows } = body;
  const stage =
    rows === undefined
      ? null
      : async (jobId: string): Promise<StagedInput> =>
          stageJsonRows(deps.commands, actor, jobId, rows, await findKind(deps.commands, actor, body.kind));
  await start(deps, actor, request, response, { body, text, stage });
}

async function startByUpload(deps: ApiDeps, actor: Actor, request: Request, response: Response): Promise<void> {
  const upload: Upload = await readUpload(request, deps.config.maxUploadBytes);
  try {
    const body = parseBody(upload.jobText);
    if (body.rows !== undefined)
      throw invalid([{ path: 'rows', message: 'come in the part `rows`, not inside the part `job`' }]);
    const stage = async (jobId: string): Promise<StagedInput> => {
      const rows = await upload.rows();
      if (!rows) throw new GantryError('no_rows', 'The upload holds no part `rows`; no job was made.');
      const definition = await findKind(deps.commands, actor, body.kind);
      try {
        const { stream, format } = rows;
        const staged = await stageRows(deps.commands, actor, jobId, stream, format, definition, upload.broken);
        await upload.ended();
        return staged;
      } catch (error) {
        await discardStaged(deps.db, jobId);
        // What stopped the upload says more than that it was stopped.
        throw upload.broken.aborted ? upload.broken.reason : error;
      }
    };
    await start(deps, actor, request, response, { body, text: upload.jobText, stage });
  } finally {
    upload.close();
  }
}

interface Start {
  body: JobBody;
  /** The JSON as it was sent. */
  text: string;
  stage: ((jobId: string) => Promise<StagedInput>) | null;
}

async function start(
  deps: ApiDeps,
  actor: Actor,
  request: Request,
  response: Response,
  { body, text, stage }: Start,
): Promise<void> {
  await findKind(deps.commands, actor, body.kind);
  const jobId = newId();
  const reservation = reservationOf(request, actor, ROUTE, jobId);
  const jobHash = createHash('sha256').update(canonicalJson({ ...body, rows: undefined }));
  const hashWith = (rows: StagedInput | null): Buffer =>
    jobHash
      .copy()
      .update(rows ? rows.sha256 : '')
      .digest();
  if (reservation) {
    const standing = await reserveKey(deps.db, reservation, hashWith(null));
    if (standing) {
      const job = await findReservedJob(deps, standing, async () => {
        const staged = stage ? await stage(jobId) : null;
        if (staged) await discardStaged(deps.db, jobId);
        return hashWith(staged);
      });
      response.setHeader('Idempotency-Replayed', 'true');
      return answer(deps, actor, response, job);
    }
  }
  let staged: StagedInput | null = null;
  let job: JobRow;
  try {
    staged = stage ? await stage(jobId) : null;
    const idempotency = reservation ? { reservation, jobHash: hashWith(staged) } : undefined;
    job = await createJob(deps.commands, actor, { ...inputOf(body, text), idempotency }, staged);
  } catch (error) {
    // A refused request leaves no row and does not use its key.
    if (staged) await discardStaged(deps.db, jobId);
    if (reservation) await releaseKey(deps.db, reservation);
    throw error;
  }
  await answer(deps, actor, response, job);
}

async function answer(
  deps: ApiDeps,
  actor: Actor,
  response: Response,
  job: Parameters<typeof showJob>[2],
): Promise<void> {
  const document = await showJob(deps, actor, job);
  response.status(202).location(`/api/v1/jobs/${job.id}`).json(document);
}

export function inputOf(body: JobBody, text: string): CreateJobInput {
  const { kind, title, params = {}, notify, priority, runAt, trial, limits } = body;
  return {
    kind,
    title,
    params,
    paramsText: memberText(text, 'params') ?? undefined,
    notify,
    priority,
    runAt: runAt === undefined ? undefined : new Date(runAt),
    trial,
    limits,
  };
}

export function parseBody(text: string): JobBody {
  return parseText(text, contract.startJobBody);
}

/** @throws GantryError with the fields at fault. */
export function parseText<T extends ZodType>(text: string, shape: T): z.infer<T> {
  if (isTooDeep(text)) {
    throw new GantryError('bad_request', `The job is nested deeper than ${MAX_JSON_DEPTH} levels. No job was made.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new GantryError('bad_request', 'The job is no readable JSON. No job was made.');
  }
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.flatMap((issue) =>
    'keys' in issue && Array.isArray(issue.keys)
      ? issue.keys.map((key) => ({ path: [...issue.path, key].join('.'), message: 'is not known here' }))
      : [{ path: issue.path.join('.'), message: issue.message }],
  );
  throw invalid(fields);
}

export function readJsonText(request: Request, response: Response): Promise<string> {
  let text = '';
  const keep = (bytes: Buffer): void => void (text = bytes.toString('utf8'));
  return new Promise((resolve, reject) => {
    jsonBody(keep)(request, response, (error?: unknown) => (error ? reject(error as Error) : resolve(text || '{}')));
  });
}

function presentKind(definition: Definition) {
  const isMassAction = definition.shape === 'massAction';
  return {
    kind: definition.kind,
    title: definition.title,
    menu: definition.menu,
    shape: definition.shape,
    takesRows: isMassAction,
    paramsSchema:
      isMassAction && definition.paramsSchema !== undefined
        ? definition.paramsSchema
        : z.toJSONSchema(definition.params, { io: 'input', unrepresentable: 'any' }),
    rowSchema: isMassAction ? definition.rowSchema : null,
    policy: policyOf(definition),
  };
}
