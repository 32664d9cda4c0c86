// Approvals through HTTP: what named approvers see and may, what a request shows, and the link in the mail, which decides only
// when its form is sent.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { simpleParser } from 'mailparser';
import { canonicalJson } from '../../src/lib/signing';
import { until } from '../support/until';
import { startTestServer, type Answer, type TestServer } from '../support/webServer';

let server: TestServer;
let endpoint: Server;
let endpointUrl: string;
/** The bodies of the calls, as they came in. */
const received: string[] = [];
beforeAll(async () => {
  endpoint = createServer((request, response) => {
    void readText(request).then((body) => {
      received.push(body);
      const { rows } = JSON.parse(body) as { rows: { rowIndex: number }[] };
      response.end(JSON.stringify({ results: rows.map(({ rowIndex }) => ({ rowIndex, success: true })) }));
    });
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  endpointUrl = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/rows`;
  server = await startTestServer({ worker: true });
  await makeOperation('guarded', {});
  await makeOperation('named', { approvers: ['User@example.org', 'superadmin@example.org'], quorum: 2 });
}, 60_000);
afterAll(async () => {
  await server.stop();
  endpoint.closeAllConnections();
  await new Promise((resolve) => endpoint.close(resolve));
});

const JOBS = '/api/v1/jobs';

async function makeOperation(key: string, approval: object): Promise<Answer> {
  const roles = ['user', 'power_user', 'superadmin'];
  const operation = { key, title: key, endpoint: endpointUrl, needsApproval: true, roles, approval };
  return server.call('superadmin', 'POST', '/api/v1/operations', operation);
}

/** Asked for by the power user. */
async function ask(key = 'guarded', more: object = {}): Promise<string> {
  const rows = [{ n: 1 }, { n: 2 }, { n: 3 }];
  const job = { kind: `operation.${key}`, params: {}, rows, notify: { email: false }, ...more };
  const { status, body } = await server.call('power_user', 'POST', JOBS, job);
  expect([status, body.state]).toEqual([202, 'awaiting_approval']);
  return body.id as string;
}

const stateOf = async (id: string): Promise<string> =>
  (await server.call('superadmin', 'GET', `${JOBS}/${id}`)).body.state;

describe('named approvers', () => {
  it('[G23] [G24] [G58] [G61] see the job they decide on, its timeline and the request, and nothing else of it', async () => {
    const id = await ask('named');
    const { status, body } = await server.call('user', 'GET', `${JOBS}/${id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      waitingFor: 'approval',
      approval: { quorum: 2, approvals: 0 },
      allowedActions: ['approve', 'reject'],
    });
    expect((await server.call('user', 'GET', `${JOBS}/${id}/events`)).status).toBe(200);
    expect((await server.call('user', 'GET', `${JOBS}/${id}/approval`)).status).toBe(200);
    for (const part of ['errors', 'log', 'runs', 'errors.csv']) {
      expect((await server.call('user', 'GET', `${JOBS}/${id}/${part}`)).status).toBe(404);
    }
    // To approve is neither to operate nor to configure.
    expect((await server.call('user', 'POST', `${JOBS}/${id}/cancel`, {})).status).toBe(404);
    expect((await server.call('user', 'GET', '/api/v1/operations/named')).status).toBe(403);
    expect((await server.call('user', 'GET', JOBS)).body.items.map((job: { id: string }) => job.id)).not.toContain(id);
    const asker = await server.call('power_user', 'GET', `${JOBS}/${id}`);
    expect(asker.body.allowedActions).toEqual(['withdraw', 'cancel']);

    const approved = await server.call('user', 'POST', `${JOBS}/${id}/approve`, { reason: 'fine' });
    expect(approved.body).toMatchObject({
      state: 'awaiting_approval',
      approval: { approvals: 1 },
      allowedActions: ['reject'],
    });
    expect((await server.call('user', 'POST', `${JOBS}/${id}/approve`, {})).status).toBe(200);
    expect((await server.call('superadmin', 'POST', `${JOBS}/${id}/approve`, {})).body.state).toBe('queued');
    const late = await server.call('user', 'POST', `${JOBS}/${id}/approve`, {});
    expect([late.status, late.body.code, late.body.allowedActions]).toEqual([409, 'job_state_forbids', []]);
    const { body: request } = await server.call('power_user', 'GET', `${JOBS}/${id}/approval`);
    expect(request).toMatchObject({
      state: 'approved',
      approvers: ['user@example.org', 'superadmin@example.org'],
      decisions: [
        { user: { id: server.callers.user.id }, decision: 'approved', reason: 'fine', byLink: false },
        { user: { id: server.callers.superadmin.id }, decision: 'approved', reason: null },
      ],
    });
  });

  it('find what waits for them, page by page, until they have decided', async () => {
    const ids = [await ask('named'), await ask('named'), await ask('named')].reverse();
    await ask('guarded');
    const first = await server.call('user', 'GET', '/api/v1/approvals?limit=2');
    expect(first.body.items.map((job: { id: string }) => job.id)).toEqual(ids.slice(0, 2));
    const rest = await server.call('user', 'GET', `/api/v1/approvals?limit=2&cursor=${first.body.nextCursor}`);
    expect([rest.body.items[0].id, rest.body.nextCursor]).toEqual([ids[2], null]);
    await server.call('user', 'POST', `${JOBS}/${ids[0]}/approve`, {});
    const left = await server.call('user', 'GET', '/api/v1/approvals');
    expect(left.body.items.map((job: { id: string }) => job.id)).toEqual(ids.slice(1));
    expect((await server.call('power_user', 'GET', '/api/v1/approvals')).body.items).toEqual([]);
    expect((await server.call('user', 'GET', '/api/v1/approvals?state=queued')).status).toBe(422);
  });
});

describe('a request', () => {
  it('[G62] shows the payload as it was sent with a hash that anybody can make, and that payload is executed', async () => {
    const csv = 'name,n\n' + Array.from({ length: 30 }, (_, n) => `"row, ${n}",${n}`).join('\n');
    const form = new FormData();
    const paramsText = '{"amount": 12345678901234567890.10,  "note":"é"}';
    form.append('job', `{"kind":"operation.guarded","title":"Pay","params":${paramsText}}`);
    form.append('rows', new File([csv], 'rows.csv', { type: 'text/csv' }));
    const { body: job } = await server.call('power_user', 'POST', JOBS, form);
    const { body } = await server.call('superadmin', 'GET', `${JOBS}/${job.id}/approval`);
    expect(body).toMatchObject({
      state: 'open',
      paramsText,
      title: 'Pay',
      run: 1,
      quorum: 1,
      approvers: null,
      decisions: [],
    });
    expect(body.rows).toMatchObject({ total: 30, ofRun: 30, sha256: createHash('sha256').update(csv).digest('hex') });
    expect(body.rows.first).toHaveLength(20);
    expect(body.rows.first[19]).toEqual({ rowIndex: 19, row: { name: 'row, 19', n: '19' } });
    const { kind, title } = body;
    const text = canonicalJson({ kind, title, params: paramsText, rowTotal: 30, rowsSha256: body.rows.sha256 });
    expect(body.requestHash).toBe(createHash('sha256').update(text).digest('hex'));
    const other = await server.call('superadmin', 'POST', `${JOBS}/${job.id}/approve`, { requestHash: 'a'.repeat(64) });
    expect(other.status).toBe(409);
    expect(received.filter((text) => text.includes(job.id))).toEqual([]);
    await server.call('superadmin', 'POST', `${JOBS}/${job.id}/approve`, { requestHash: body.requestHash });
    await until(async () => (await stateOf(job.id)) === 'succeeded', 'the end of the job');
    expect(received.filter((text) => text.includes(job.id))).toEqual([
      expect.stringContaining(`"params":${paramsText}`),
    ]);
  });

  it('[G58] is rejected only with a reason, which its owner reads', async () => {
    const id = await ask();
    for (const body of [{}, { reason: '' }, { reason: '  ' }, { reason: 'no', also: 1 }]) {
      expect((await server.call('superadmin', 'POST', `${JOBS}/${id}/reject`, body)).status).toBe(422);
    }
    const { body } = await server.call('superadmin', 'POST', `${JOBS}/${id}/reject`, { reason: 'the wrong month' });
    expect([body.state, body.waitingFor]).toEqual(['rejected', null]);
    const request = await server.call('power_user', 'GET', `${JOBS}/${id}/approval`);
    expect(request.body).toMatchObject({ state: 'rejected', decisions: [{ reason: 'the wrong month' }] });
  });

  it('[G60] is withdrawn by who asked, and asked anew when the job is run again', async () => {
    const id = await ask();
    expect((await server.call('superadmin', 'POST', `${JOBS}/${id}/withdraw`, {})).status).toBe(403);
    expect((await server.call('power_user', 'POST', `${JOBS}/${id}/withdraw`, {})).body.state).toBe('withdrawn');
    expect((await server.call('superadmin', 'POST', `${JOBS}/${id}/approve`, {})).status).toBe(409);
    const again = await server.call('superadmin', 'POST', `${JOBS}/${id}/requeue`, {});
    expect(again.body).toMatchObject({ state: 'awaiting_approval', run: 2, allowedActions: ['withdraw', 'cancel'] });
    expect((await server.call('superadmin', 'POST', `${JOBS}/${id}/approve`, {})).status).toBe(403);
    expect((await server.call('power_user', 'GET', `${JOBS}/${id}/approval?run=1`)).body.state).toBe('withdrawn');
    expect((await server.call('power_user', 'GET', `${JOBS}/${id}/approval`)).body).toMatchObject({
      run: 2,
      state: 'open',
    });
    expect((await server.call('power_user', 'GET', `${JOBS}/${id}/approval?run=3`)).status).toBe(404);
  });

  it('takes its rules from the operation, which refuses rules that nobody can meet', async () => {
    const at = '/api/v1/operations/named';
    const { body } = await server.call('superadmin', 'GET', at);
    expect(body.approval).toEqual({
      quorum: 2,
      approvers: ['user@example.org', 'superadmin@example.org'],
      expiresAfterMs: 604_800_000,
    });
    const wrong = [{ quorum: 0 }, { quorum: 2, approvers: ['a@example.org'] }, { approvers: [] }, { approvers: ['x'] }];
    for (const approval of [...wrong, { expiresAfterMs: 1 }, { who: 1 }]) {
      expect((await makeOperation('wrong', approval)).status).toBe(422);
    }
    await makeOperation('brief', { expiresAfterMs: 3_600_000 });
    const brief = await server.call('superadmin', 'GET', `${JOBS}/${await ask('brief')}/approval`);
    expect(Date.parse(brief.body.expiresAt) - Date.parse(brief.body.requestedAt)).toBeCloseTo(3_600_000, -2);
    const changed = await server.call(
      'superadmin',
      'PATCH',
      '/api/v1/operations/brief',
      { approval: null },
      { 'If-Match': '"1"' },
    );
    expect([changed.status, changed.body.approval]).toEqual([200, null]);
  });
});

describe('the link in the mail', () => {
  const folder = (): string => path.join(server.config.dataDir, 'mail');

  /** The link as the mail to an address has it. */
  async function linkOf(jobTitle: string, address: string): Promise<string> {
    let link = '';
    const look = async (): Promise<boolean> => {
      for (const file of readdirSync(folder()).filter((name) => name.endsWith('.eml'))) {
        const mail = await simpleParser(readFileSync(path.join(folder(), file)));
        const to = [mail.to]
          .flat()
          .map((one) => one?.text ?? '')
          .join();
        if (!to.includes(address) || !mail.subject?.includes(jobTitle)) continue;
        link = /https?:\S+\/approvals\/link\/\S+/.exec(mail.text ?? '')?.[0] ?? '';
        expect(mail.html).toContain(link);
      }
      return link !== '';
    };
    await until(look, `the mail about ${jobTitle}`);
    return server.url + new URL(link).pathname;
  }

  const submit = (link: string, form: Record<string, string>): Promise<Response> =>
    fetch(link, { method: 'POST', body: new URLSearchParams(form), headers: { Accept: 'text/html' } });

  it('shows what is asked for and decides nothing by itself; its form decides once, as the person it was sent to', async () => {
    const title = 'Close <script>alert(1)</script> accounts';
    const id = await ask('named', { title });
    const link = await linkOf(title, 'user@example.org');
    for (const method of ['GET', 'HEAD', 'GET']) expect((await fetch(link, { method })).status).toBe(200);
    const page = await fetch(link, { headers: { Accept: 'text/html' } });
    const text = await page.text();
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(text).not.toMatch(/<script/i);
    expect(text).toContain('Close &lt;script&gt;');
    expect(text).toContain('&quot;n&quot;:1');
    const { body } = await server.call('superadmin', 'GET', `${JOBS}/${id}/approval`);
    expect(text).toContain(body.requestHash);
    expect(body.decisions).toEqual([]);

    const done = await submit(link, { decision: 'approve', reason: '' });
    expect([done.status, await done.text()]).toEqual([200, expect.stringContaining('others have to approve')]);
    const { body: after } = await server.call('superadmin', 'GET', `${JOBS}/${id}/approval`);
    expect(after.decisions).toMatchObject([
      { user: { id: server.callers.user.id }, decision: 'approved', byLink: true },
    ]);
    expect(await (await fetch(link)).text()).not.toContain('<form');
    await server.call('superadmin', 'POST', `${JOBS}/${id}/approve`, {});
    const again = await submit(link, { decision: 'reject', reason: 'too late' });
    expect([again.status, again.headers.get('content-type')]).toEqual([409, expect.stringContaining('text/html')]);
    expect(['queued', 'running', 'succeeded']).toContain(await stateOf(id));
  });

  it('rejects with a reason only, and takes no form of another shape', async () => {
    const id = await ask('guarded', { title: 'Rejected by mail' });
    const link = await linkOf('Rejected by mail', 'superadmin@example.org');
    expect((await submit(link, { decision: 'reject', reason: ' ' })).status).toBe(422);
    expect((await submit(link, { decision: 'grant' })).status).toBe(422);
    expect((await submit(link, { decision: 'approve', user: 'root' })).status).toBe(422);
    expect((await submit(link, { decision: 'reject', reason: 'x'.repeat(100_000) })).status).toBe(413);
    const json = { method: 'POST', body: '{"decision":"approve"}', headers: { 'Content-Type': 'application/json' } };
    expect((await fetch(link, json)).status).toBe(415);
    expect(await stateOf(id)).toBe('awaiting_approval');
    expect((await submit(link, { decision: 'reject', reason: 'not this month' })).status).toBe(200);
    const { body } = await server.call('power_user', 'GET', `${JOBS}/${id}/approval`);
    expect(body).toMatchObject({ state: 'rejected', decisions: [{ reason: 'not this month', byLink: true }] });
  });

  it('is bound to its job, run, person and request, and dies with their right', async () => {
    const id = await ask('named', { title: 'Bound by mail' });
    const foreign = await ask('named', { title: 'Another one' });
    const link = await linkOf('Bound by mail', 'user@example.org');
    const [head = '', mac = ''] = link.split(/\.(?=[^.]+$)/);
    const forged = [
      link.replace(id, foreign),
      link.replace(server.callers.user.id, server.callers.superadmin.id),
      link.replace(`${id}.1.`, `${id}.2.`),
      `${head}.${mac.slice(0, -2)}AA`,
      `${head}.`,
      `${link}.x`,
    ];
    for (const address of forged) {
      const answer = await submit(address, { decision: 'approve', reason: '' });
      expect([address, answer.status]).toEqual([address, 404]);
    }
    const db = server.database.kysely;
    const { id: userId } = server.callers.user;
    await db.updateTable('appUser').set({ disabledAt: new Date() }).where('id', '=', userId).execute();
    expect((await submit(link, { decision: 'approve', reason: '' })).status).toBe(404);
    await db
      .updateTable('appUser')
      .set({ disabledAt: null, email: 'moved@example.org' })
      .where('id', '=', userId)
      .execute();
    expect((await submit(link, { decision: 'approve', reason: '' })).status).toBe(404);
    await db.updateTable('appUser').set({ email: 'user@example.org' }).where('id', '=', userId).execute();
    // The job became theirs: seen, but not to be decided on by them. The audit of the refusal holds no link.
    const giveTo = (ownerId: string) => db.updateTable('job').set({ ownerId }).where('id', '=', id).execute();
    await giveTo(userId);
    expect((await fetch(link, { method: 'POST', body: new URLSearchParams({ decision: 'approve' }) })).status).toBe(
      403,
    );
    const denied = () =>
      db
        .selectFrom('audit')
        .select('subjectId')
        .where('action', '=', 'denied')
        .where('subjectId', 'like', '%link%')
        .execute();
    await until(async () => (await denied()).length > 0, 'the audit of the refusal');
    expect(await denied()).toEqual([{ subjectId: 'POST /api/v1/approvals/link/[secret]' }]);
    await giveTo(server.callers.power_user.id);
    await server.call('power_user', 'POST', `${JOBS}/${id}/withdraw`, {});
    await server.call('superadmin', 'POST', `${JOBS}/${id}/requeue`, {});
    expect((await submit(link, { decision: 'approve', reason: '' })).status).toBe(409);
    expect(await stateOf(id)).toBe('awaiting_approval');
    const ofRun2 = link.replace(`${id}.1.`, `${id}.2.`);
    expect((await submit(ofRun2, { decision: 'approve', reason: '' })).status).toBe(404);
    await db
      .updateTable('approval')
      .set({ expiresAt: new Date(0) })
      .where('jobId', '=', foreign)
      .execute();
    const expired = await linkOf('Another one', 'user@example.org');
    expect((await fetch(expired)).status).toBe(404);
  });
});

it('[G59] lets the only superadmin approve an own request where the installation says so', async () => {
  const single = await startTestServer({ env: { ALLOW_SELF_APPROVAL: 'true' } });
  try {
    await single.call('superadmin', 'POST', '/api/v1/operations', {
      ...{ key: 'own', title: 'own', endpoint: endpointUrl, needsApproval: true },
    });
    const job = { kind: 'operation.own', rows: [{ n: 1 }], params: {} };
    const { body } = await single.call('superadmin', 'POST', JOBS, job);
    expect(body.allowedActions).toEqual(['approve', 'reject', 'withdraw', 'cancel']);
    const waiting = await single.call('superadmin', 'GET', '/api/v1/approvals');
    expect(waiting.body.items).toMatchObject([{ id: body.id }]);
    expect((await single.call('superadmin', 'POST', `${JOBS}/${body.id}/approve`, {})).body.state).toBe('queued');
  } finally {
    await single.stop();
  }
}, 60_000);
