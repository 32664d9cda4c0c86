// The three-step story by the command line, the same for an operation, a built-in kind and a plugin kind: a trial of 100 rows,
// a look at the errors, the rest; and then all of it taken back.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { ADMIN_ENV, ADMIN_TOKEN } from '../support/apiClient';
import { clearFolder, killLeftovers, scratchFolder, startGantry, type GantryProcess } from '../support/gantryProcess';
import { callCli } from './callCli';
import type { CliResult } from './runCli';

const ROWS = 250;
const TRIAL = 100;
/** One bad row in fifty. */
const isBad = (place: number): boolean => place % 50 === 7;

const folder = scratchFolder();
const dataDir = scratchFolder();
const prices = new Map(Array.from({ length: ROWS }, (_, place) => [`A${place}`, '1.00']));
let endpoint: Server;
let gantry: GantryProcess;

const cli = (...args: string[]): Promise<CliResult> =>
  callCli([...args, '--server', gantry.url, '--token', ADMIN_TOKEN]);

async function cliJson<T>(...args: string[]): Promise<T> {
  const { stdout, stderr, code } = await cli(...args, '--json');
  if (!stdout) throw new Error(`gantry ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

beforeAll(async () => {
  endpoint = await startPriceList();
  // A plug-in asks for the package by its name: here it is the sources.
  const own = path.join(folder, 'gantry');
  mkdirSync(own, { recursive: true });
  writeFileSync(path.join(own, 'index.js'), `module.exports = require('${path.resolve('src/plugin.ts')}');`);
  gantry = await startGantry(dataDir, {
    env: { ...ADMIN_ENV, NODE_PATH: folder, GANTRY_PLUGINS: './examples/own-kind/src/index.ts' },
  });
}, 60_000);

afterAll(async () => {
  gantry?.signal('SIGTERM');
  await gantry?.ended();
  killLeftovers();
  endpoint?.close();
  endpoint?.closeAllConnections();
  await clearFolder(dataDir);
  await clearFolder(folder);
});

/** A shop of its own: takes prices, says what they were, and takes them back. */
function startPriceList(): Promise<Server> {
  interface Body {
    undo?: true;
    rows: { rowIndex: number; data: { sku: string; price: string }; before?: { price: string } }[];
  }
  const server = createServer((request, response) => {
    void json(request).then((value) => {
      const { undo, rows } = value as Body;
      const results = rows.map(({ rowIndex, data, before }) => {
        const price = prices.get(data.sku);
        if (price === undefined) return { rowIndex, success: false, code: 'no_such_sku', message: 'Not in the list.' };
        prices.set(data.sku, undo ? (before?.price ?? '') : data.price);
        return { rowIndex, success: true, before: { price } };
      });
      response.end(JSON.stringify({ results }));
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

interface Subject {
  kind: string;
  badCode: string;
  header: string;
  good(place: number): string;
  bad(place: number): string;
  prepare(): Promise<void>;
  /** How many of the good rows have taken effect. */
  changed(): Promise<number>;
}

const subjects: Subject[] = [
  {
    kind: 'operation.price-list',
    badCode: 'no_such_sku',
    header: 'sku,price',
    good: (place) => `A${place},2.50`,
    bad: (place) => `none${place},2.50`,
    prepare: async () => {
      const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/`;
      const flags = ['--key', 'price-list', '--title', 'Price list', '--menu', 'Shop', '--endpoint', url, '--undo'];
      const added = await cli('operations', 'add', ...flags, '--secret', 'a secret of the shop');
      expect(added).toMatchObject({ code: 0, stdout: 'operation.price-list\n' });
    },
    changed: () => Promise.resolve([...prices.values()].filter((price) => price === '2.50').length),
  },
  {
    kind: 'users.update',
    badCode: 'unknown_user',
    header: 'email,name',
    good: (place) => `user${place}@shop.example,Changed ${place}`,
    bad: (place) => `nobody${place}@shop.example,Changed ${place}`,
    prepare: async () => {
      const rows = Array.from({ length: ROWS }, (_, place) => `user${place}@shop.example,User ${place}`);
      writeFileSync(path.join(folder, 'users.csv'), ['email,name', ...rows].join('\n'));
      const flags = ['--kind', 'users.import', '--rows', path.join(folder, 'users.csv'), '--watch'];
      expect(await cli('jobs', 'start', ...flags)).toMatchObject({ code: 0 });
    },
    changed: async () => {
      let count = 0;
      for (let at: string | null = '/api/v1/users?limit=100'; at;) {
        const page: { items: { name: string }[]; nextCursor: string | null } = await ask(at);
        count += page.items.filter(({ name }) => name.startsWith('Changed')).length;
        at = page.nextCursor && `/api/v1/users?limit=100&cursor=${encodeURIComponent(page.nextCursor)}`;
      }
      return count;
    },
  },
  {
    kind: 'shop.set-prices',
    badCode: 'no_such_sku',
    header: 'sku,price',
    good: (place) => `A${place + 1},9.99`,
    bad: (place) => `none${place},9.99`,
    prepare: async () => {
      const flags = ['--kind', 'shop.set-up', '--params', JSON.stringify({ articles: ROWS }), '--watch'];
      expect(await cli('jobs', 'start', ...flags)).toMatchObject({ code: 0 });
    },
    // The kind itself says so: what would be left unchanged has taken effect. A preview judges 100 rows.
    changed: async () => {
      const counts = await Promise.all(
        [1, 101, 201].map((first) => countUnchanged(first, Math.min(100, ROWS + 1 - first))),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    },
  },
];

async function countUnchanged(first: number, count: number): Promise<number> {
  const rows = Array.from({ length: count }, (_, place) => ({ sku: `A${first + place}`, price: '9.99' }));
  const { wouldSkip } = await ask<{ wouldSkip: number }>('/api/v1/jobs/preview', { kind: 'shop.set-prices', rows });
  return wouldSkip;
}

async function ask<T>(at: string, body?: object): Promise<T> {
  const answer = await fetch(`${gantry.url}${at}`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${at} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

test.each(subjects)(
  '$kind: a trial of 100 rows, its errors, the rest, and all of it taken back [G37]',
  async (subject) => {
    await subject.prepare();
    const places = Array.from({ length: ROWS }, (_, place) => place);
    const bad = places.filter(isBad);
    const file = path.join(folder, `${subject.kind}.csv`);
    const lines = places.map((place) => (isBad(place) ? subject.bad(place) : subject.good(place)));
    writeFileSync(file, [subject.header, ...lines].join('\n'));

    const flags = ['--kind', subject.kind, '--rows', file, '--trial', String(TRIAL)];
    const started = await cli('jobs', 'start', ...flags, '--watch');
    const id = /Started (\S+)\./.exec(started.stderr)?.[1] ?? '';
    expect(started).toMatchObject({ code: 7, stdout: '', stderr: expect.stringMatching(/paused \(trial\)/) });
    expect(started.stderr).toContain(`gantry jobs resume ${id} --watch`);
    expect(await subject.changed()).toBe(TRIAL - bad.filter((place) => place < TRIAL).length);

    const errors = await cliJson<{ items: object[] }>('jobs', 'errors', id);
    expect(errors.items).toMatchObject([{ code: subject.badCode, count: 2, firstRowIndex: 7 }]);

    const resumed = await cli('jobs', 'resume', id, '--watch');
    expect(resumed).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/completed_with_errors .*250 of 250, 5 failed/),
    });
    expect(await subject.changed()).toBe(ROWS - bad.length);

    const undone = await cli('jobs', 'undo', id, '--watch');
    expect(undone).toMatchObject({ code: 0, stderr: expect.stringContaining(`takes ${id} back`) });
    expect(await subject.changed()).toBe(0);
    expect(await cliJson('jobs', 'show', id)).toMatchObject({
      state: 'completed_with_errors',
      progress: { failed: 5 },
    });
  },
  60_000,
);
