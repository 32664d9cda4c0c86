// What is generated without a database is what stands in the tree; `npm run verify` checks the rest.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { generateCli } from '../../scripts/generate/cli';
import { generateConfiguration } from '../../scripts/generate/configuration';
import { generateDemoRows } from '../../scripts/generate/demoRows';

const root = process.cwd();
const scratch = mkdtempSync(path.join(tmpdir(), 'gantry-generated-'));

beforeAll(() => process.chdir(scratch));
afterAll(() => {
  process.chdir(root);
  rmSync(scratch, { recursive: true, force: true });
});

function expectSame(file: string): void {
  expect(readFileSync(path.join(scratch, file), 'utf8')).toBe(readFileSync(path.join(root, file), 'utf8'));
}

test('the documentation of the variables and .env.example are those of the declarations', () => {
  generateConfiguration();
  expectSame('docs/generated/configuration.md');
  expectSame('.env.example');
});

test('the documentation of the command line is what the program declares', () => {
  generateCli();
  expectSame('docs/generated/cli.md');
});

test('the rows of the demo are the same at every run, at least 10,000, some of them bad', () => {
  generateDemoRows();
  expectSame('demo/rows.csv');
  const seats = readFileSync('demo/rows.csv', 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',')[3] ?? '');
  expect(seats.length).toBeGreaterThanOrEqual(10_000);
  expect(seats.filter((text) => !/^[1-9]\d*$/.test(text)).length).toBeGreaterThan(50);
});
