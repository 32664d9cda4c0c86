// Writes a filtered list of jobs to a file: those that its owner may see when it runs, as they are at one moment. Fetched by
// GET /jobs/{id}/file and removed with the job.
import { z } from 'zod';
import type { Db, Tx } from '../../db/database';
import { clearJobFile, insertFilePart, insertJobFile, seeOneMoment } from '../../db/queries/jobFiles';
import { countMatching, type JobFilter } from '../../db/queries/jobs';
import { findUser } from '../../db/queries/users';
import { withRetry } from '../../db/retry';
import { GantryError, PermanentJobError } from '../../lib/errors';
import type { Actor } from '../actor';
import { defineJob, type JobContext } from '../define';
import { jobLines } from '../export/jobLines';
import { instantOf, jobFilterQuery, stateSides, type Fault } from '../jobFilter';
import { jobFilterOf } from '../jobFilterOf';

const TYPES = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;
/** Written at once; a part is what a reader gets at once. */
const PART_LENGTH = 256 * 1024;
/** A long export may lose its connection late; how long the database is away, the lease decides. */
const RETRY_WITHIN_MS = 3_600_000;

const params = z
  .strictObject({ ...jobFilterQuery, format: z.enum(['csv', 'ndjson']).default('csv') })
  .superRefine((filter, context) => {
    const faults: Fault[] = [];
    stateSides(filter.state, faults);
    instantOf('since', filter.since, filter.timeZone, new Date(), faults);
    instantOf('until', filter.until, filter.timeZone, new Date(), faults);
    for (const { path, message } of faults) context.addIssue({ code: 'custom', path: [path], message });
  });
type Params = z.infer<typeof params>;

export const jobsExport = defineJob({
  kind: 'jobs.export',
  title: 'Export jobs',
  menu: ['Jobs', 'Export'],
  roles: ['power_user', 'superadmin'],
  params,
  run: async (ctx) => {
    const name = `jobs-${ctx.jobId}.${ctx.params.format}`;
    const write = async (): Promise<number> => {
      const filter = await filterOf(ctx);
      return (ctx.db as Exclude<Db, Tx>).transaction().execute(async (tx) => {
        await seeOneMoment(tx);
        return writeFile(ctx, tx, filter, name);
      });
    };
    // Begun anew when the connection is lost: nothing of it was kept.
    const rows = await withRetry(write, { withinMs: RETRY_WITHIN_MS, signal: ctx.signal });
    if (rows === 0) ctx.report('warning', 'No job matches the filter: the file is empty.');
    return { rows, file: name };
  },
});

async function writeFile(ctx: JobContext<Params>, tx: Tx, filter: JobFilter, name: string): Promise<number> {
  const { jobId, signal } = ctx;
  const { format } = ctx.params;
  const total = await countMatching(tx, filter);
  await clearJobFile(tx, jobId);
  let rows = 0;
  let part = 0;
  let text = '';
  for await (const line of jobLines(tx, filter, format)) {
    signal.throwIfAborted();
    text += line.text;
    rows += line.rows;
    if (text.length < PART_LENGTH) continue;
    await insertFilePart(tx, jobId, part, text);
    ctx.progress(rows, total);
    part += 1;
    text = '';
  }
  if (text !== '') await insertFilePart(tx, jobId, part, text);
  await insertJobFile(tx, jobId, { name, type: TYPES[format], rows });
  ctx.progress(rows, total);
  return rows;
}

/** With the rights that the owner has now, and not when the job was started. */
async function filterOf({ db, owner, params: wanted }: JobContext<Params>): Promise<JobFilter> {
  const user = await findUser(db, owner.id);
  if (!user || user.disabledAt !== null) {
    throw new PermanentJobError(
      'forbidden',
      'The account that started the export is gone or closed; nothing was written.',
    );
  }
  const actor: Actor = { id: user.id, name: user.name, email: user.email, role: user.role };
  try {
    return await jobFilterOf({ db }, actor, wanted);
  } catch (error) {
    if (error instanceof GantryError) throw new PermanentJobError(error.code, error.message);
    throw error;
  }
}
