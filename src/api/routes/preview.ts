// Previews, undo and files: what a job would do, taking back what one has done, and what one has made.
import type { Request, Response } from 'express';
import { peekJsonRows, peekRows, type PeekedRows } from '../../jobs/preview/peekRows';
import { previewJob, type Preview } from '../../jobs/preview/previewJob';
import { undoJob } from '../../jobs/undo/undoJob';
import { findKind } from '../../jobs/commands/createJob';
import type { Actor } from '../../jobs/actor';
import { findJobFile, streamFileParts } from '../../db/queries/jobFiles';
import { GantryError, invalid, notFound } from '../../lib/errors';
import type { ApiDeps } from '../apiDeps';
import { implement, type Route } from '../contract/endpoint';
import * as contract from '../contract/preview';
import { readUpload } from '../readUpload';
import { sendText } from '../sendText';
import { inputOf, parseBody, readJsonText } from './jobStart';
import { getVisibleJob, showJob } from './showJob';

/** The sender of an upload that was cut short has its answer; so long the rest of it is still taken and thrown away. */
const LINGER_MS = 5000;

export const previewRoutes: Route[] = [
  implement(contract.previewJob, async ({ actor, deps, request, response }) => {
    if (request.is('application/json')) {
      const text = await readJsonText(request, response);
      const body = parseBody(text);
      const rows = body.rows === undefined ? null : peekJsonRows(body.rows);
      return shown(await previewJob(deps.previews, actor, inputOf(body, text), rows));
    }
    if (request.is('multipart/form-data')) return shown(await previewUpload(deps, actor, request, response));
    throw new GantryError(
      'wrong_type',
      'A preview takes what a job is started by: JSON (application/json) or an upload (multipart/form-data).',
    );
  }),
  implement(contract.undoJob, async ({ params, body, actor, deps, response }) => {
    const job = await undoJob(deps.commands, actor, params.jobId, body);
    response.location(`/api/v1/jobs/${job.id}`);
    return showJob(deps, actor, job);
  }),
  implement(contract.getJobFile, async ({ params, actor, deps, response }) => {
    const job = await getVisibleJob(deps, actor, params.jobId);
    const file = await findJobFile(deps.db, job.id);
    if (!file) throw notFound('file');
    await sendText(response, file.type, file.name, streamFileParts(deps.db, job.id));
  }),
];

async function previewUpload(deps: ApiDeps, actor: Actor, request: Request, response: Response): Promise<Preview> {
  const upload = await readUpload(request, deps.config.maxUploadBytes);
  try {
    const body = parseBody(upload.jobText);
    if (body.rows !== undefined)
      throw invalid([{ path: 'rows', message: 'come in the part `rows`, not inside the part `job`' }]);
    await findKind(deps.commands, actor, body.kind);
    let peeked: PeekedRows | null = null;
    try {
      const rows = await upload.rows();
      if (rows) peeked = await peekRows(rows.stream, rows.format, upload.broken);
      if (peeked?.total !== null) await upload.ended();
    } catch (error) {
      throw upload.broken.aborted ? upload.broken.reason : error;
    }
    return await previewJob(deps.previews, actor, inputOf(body, upload.jobText), peeked);
  } finally {
    upload.close();
    if (!request.complete) response.once('finish', () => setTimeout(() => request.destroy(), LINGER_MS).unref());
  }
}

function shown(preview: Preview) {
  const groups = new Map<string, { code: string; message: string; count: number }>();
  for (const { refusal } of preview.rows) {
    if (!refusal) continue;
    const group = groups.get(refusal.code) ?? { ...refusal, count: 0 };
    groups.set(refusal.code, { ...group, count: group.count + 1 });
  }
  const wouldFail = preview.rows.filter((row) => row.refusal !== null).length;
  const wouldSkip = preview.rows.filter((row) => row.refusal === null && row.skipped).length;
  return {
    ...preview,
    ...{ wouldSucceed: preview.rows.length - wouldFail - wouldSkip, wouldSkip, wouldFail },
    refusals: [...groups.values()].sort((one, other) => other.count - one.count),
  };
}
