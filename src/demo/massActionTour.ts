// First half of the tour: an operation is made, the project's own rows are sent through it, and its error file is fetched.
import { SingleBar } from 'cli-progress';
import { parse } from 'csv-parse/sync';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isGoodSeats, type DemoEndpoint } from './demoEndpoint';
import { DemoCallError, poll, type DemoClient } from './demoClient';

interface Job {
  id: string;
  state: string;
  group: 'processed' | 'unprocessed';
  processMs: number | null;
  progress: { total: number | null; done: number; failed: number; skipped: number };
}

const ROWS_FILE = path.join(__dirname, '..', '..', 'demo', 'rows.csv');
const KEY = 'set-seats';
const WITHIN_MS = 60_000;

/** @returns whether the job ended as the rows demand: with errors, exactly on the bad rows. */
export async function tourMassAction(client: DemoClient, endpoint: DemoEndpoint): Promise<boolean> {
  await ensureOperation(client, endpoint);
  const csv = readFileSync(ROWS_FILE);
  const rows: Record<string, string>[] = parse(csv, { columns: true });
  const bad = rows.filter((row) => !isGoodSeats(row['seats'])).length;
  console.log(`\n1. A mass action: ${rows.length} rows of demo/rows.csv, ${bad} of them bad, through an HTTP endpoint`);
  const started = await client.upload<Job>('/api/v1/jobs', {
    job: JSON.stringify({ kind: `operation.${KEY}`, title: 'Set seats (demo)', params: { reason: 'demo' } }),
    rows: new File([csv], 'rows.csv', { type: 'text/csv' }),
  });
  const ended = await follow(client, started.id, rows.length);
  const errors: unknown[] = parse(await client.text(`/api/v1/jobs/${started.id}/errors.csv`), { columns: true });
  const { done, failed } = ended.progress;
  console.log(`   ended ${ended.state} after ${ended.processMs ?? '?'} ms: ${done} done, ${failed} failed`);
  console.log(`   its error file holds ${errors.length} rows, each with the endpoint's reason`);
  return ended.state === 'completed_with_errors' && done === rows.length && failed === bad && errors.length === bad;
}

async function follow(client: DemoClient, jobId: string, total: number): Promise<Job> {
  const bar = new SingleBar({
    format: '   [{bar}] {percentage}% | {value} of {total} rows | {failed} failed',
    barsize: 40,
    noTTYOutput: true,
    notTTYSchedule: 1000,
  });
  bar.start(total, 0, { failed: 0 });
  try {
    return await poll(
      async () => {
        const job = await client.get<Job>(`/api/v1/jobs/${jobId}`);
        bar.update(job.progress.done, { failed: job.progress.failed });
        return job;
      },
      (job) => job.group === 'processed',
      { withinMs: WITHIN_MS, everyMs: 150, what: 'the end of the mass action' },
    );
  } finally {
    bar.stop();
  }
}

/** A second demo on the same folder meets its operation again, at an endpoint that has moved. */
async function ensureOperation(client: DemoClient, endpoint: DemoEndpoint): Promise<void> {
  const operation = {
    title: 'Set seats',
    menu: ['Demo'],
    endpoint: endpoint.url,
    secret: endpoint.secret,
    chunkSize: 100,
    concurrency: 4,
    roles: ['user', 'power_user', 'superadmin'],
  };
  try {
    await client.post('/api/v1/operations', { key: KEY, ...operation });
  } catch (error) {
    if (!(error instanceof DemoCallError) || error.status !== 409) throw error;
    const { items } = await client.get<{ items: { key: string; version: number }[] }>('/api/v1/operations?limit=100');
    const version = items.find((item) => item.key === KEY)?.version ?? 1;
    await client.patch(`/api/v1/operations/${KEY}`, operation, version);
  }
}
