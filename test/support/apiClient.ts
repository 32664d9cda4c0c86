// What the end-to-end tests ask of a running Gantry, over the public API and nothing else.
import { createDemoClient, poll, type DemoClient } from '../../src/demo/demoClient';

export interface JobView {
  id: string;
  state: string;
  group: 'processed' | 'unprocessed';
  run: number;
  progress: { total: number; done: number; failed: number; skipped: number; percent: number };
}

/** At least 32 characters, handed to a first start as ADMIN_TOKEN. */
export const ADMIN_TOKEN = 'token-of-the-end-to-end-tests-0123456789';

export const ADMIN_ENV = {
  ADMIN_EMAIL: 'admin@gantry.example',
  ADMIN_PASSWORD: 'a long enough password',
  ADMIN_TOKEN,
  OPERATIONS_ALLOW_HOSTS: '127.0.0.1',
};

export function adminClient(url: string): DemoClient {
  return createDemoClient(url, ADMIN_TOKEN);
}

export async function createOperation(
  client: DemoClient,
  key: string,
  endpoint: string,
  more: object = {},
): Promise<void> {
  const operation = { key, title: key, menu: ['Tests'], endpoint, roles: ['user', 'power_user', 'superadmin'] };
  await client.post('/api/v1/operations', { ...operation, ...more });
}

export function sendRows(
  client: DemoClient,
  key: string,
  csv: string | Uint8Array<ArrayBuffer>,
  more: object = {},
): Promise<JobView> {
  return client.upload<JobView>('/api/v1/jobs', {
    job: JSON.stringify({ kind: `operation.${key}`, params: {}, ...more }),
    rows: new File([csv], 'rows.csv', { type: 'text/csv' }),
  });
}

export function jobUntil(
  client: DemoClient,
  id: string,
  isDone: (job: JobView) => boolean,
  what: string,
  withinMs = 60_000,
): Promise<JobView> {
  return poll(() => client.get<JobView>(`/api/v1/jobs/${id}`), isDone, { withinMs, everyMs: 100, what });
}

export function jobEnd(client: DemoClient, id: string, withinMs = 60_000): Promise<JobView> {
  return jobUntil(client, id, (job) => job.group === 'processed', 'the end of the job', withinMs);
}
