// The whole way of a mass action in our own database: upload, run, error file, mended and sent again, requeue of the rest.
import { Readable } from 'node:stream';
import { createJob } from '../../src/jobs/commands/createJob';
import { requeueJob } from '../../src/jobs/commands/requeueJob';
import { stageRows } from '../../src/jobs/commands/stageRows';
import { usersImport } from '../../src/jobs/definitions/users.import';
import { errorFileCsv } from '../../src/jobs/massActions/errorFile';
import { newId } from '../../src/lib/ids';
import type { JobRow } from '../../src/db/queries/jobs';
import { backends, startEngine, untilState, type Engine } from '../support/engine';

const never = new AbortController().signal;

async function upload(engine: Engine, text: string): Promise<JobRow> {
  const source = Readable.from([Buffer.from(text)]);
  const staged = await stageRows(engine.deps, engine.actor, newId(), source, 'csv', usersImport, never);
  const job = await createJob(engine.deps, engine.actor, { kind: 'users.import', params: {} }, staged);
  return untilState(engine, job.id, 'final');
}

describe.each(backends())('users.import on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend });
  });
  afterAll(() => engine.stop());

  it('ends with errors for the bad rows alone, and succeeds when they are mended', async () => {
    const rows = Array.from({ length: 1000 }, (_, n) => `u${n}@x.test,User ${n},${n % 100 === 7 ? 'king' : 'user'}`);
    const job = await upload(engine, `email,name,role\n${rows.join('\n')}\nnul@x.test,a\u0000b,user\n`);
    expect(job).toMatchObject({ state: 'completed_with_errors', total: 1001, good: 990, failed: 11, skipped: 0 });

    let file = '';
    for await (const part of errorFileCsv(engine.db, job.id, 1)) file += part;
    const lines = file.trimEnd().split('\n');
    expect(lines).toHaveLength(12);
    expect(lines[1]).toContain('u7@x.test,User 7,king,invalid_row,');
    expect(lines[11]).toContain(',bad_text,');

    const again = await requeueJob(engine.deps, engine.actor, job.id, { only: 'failed' });
    expect(again).toMatchObject({ run: 2, total: 11 });
    expect(await untilState(engine, job.id, 'final')).toMatchObject({ state: 'failed', good: 0, failed: 11 });

    const mended = await upload(engine, file.replaceAll(',king,', ',power_user,').replace('a\u0000b', 'ab'));
    expect(mended).toMatchObject({ state: 'succeeded', total: 11, good: 11 });
    const accounts = await engine.db.selectFrom('appUser').select('email').where('email', 'like', '%@x.test').execute();
    expect(accounts).toHaveLength(1001);
    const audits = await engine.db.selectFrom('audit').select('id').where('action', '=', 'user.create').execute();
    expect(audits).toHaveLength(1001);
  });
});
