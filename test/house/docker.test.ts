// docker-compose.yml and Dockerfile: what they promise in text is checked always, the format where docker-compose is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const compose = readFileSync('docker-compose.yml', 'utf8');
const dockerfile = readFileSync('Dockerfile', 'utf8');

/** The text of each entry of the top-level `services`, by name. */
function services(): Map<string, string> {
  const body = /^services:\n([\s\S]*?)^\S/m.exec(compose)?.[1] ?? '';
  const parts = body.split(/^ {2}(?=[a-z])/m).filter((part) => part.trim());
  return new Map(parts.map((part) => [part.slice(0, part.indexOf(':')), part]));
}

function hasCommand(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}

test('the compose file names neither version nor name, so that old and new tools take it', () => {
  expect(compose).not.toMatch(/^(version|name|include|develop):/m);
});

test('the compose file has a database, a queue, the web service, two workers and a mail catcher', () => {
  expect([...services().keys()].sort()).toEqual(['mail', 'postgres', 'redis', 'web', 'worker-1', 'worker-2']);
});

test('the stores and the mail catcher say when they are healthy, and the image does for the web service', () => {
  for (const name of ['postgres', 'redis', 'mail']) expect(services().get(name)).toMatch(/healthcheck:\n\s+test:/);
  expect(dockerfile).toMatch(/^HEALTHCHECK .*\n.*\/healthz/m);
});

test('Redis of the compose file never drops what it holds', () => {
  expect(services().get('redis')).toContain("'--maxmemory-policy', 'noeviction'");
});

test('no image is taken by the tag latest or by none', () => {
  const images = [...compose.matchAll(/image: (\S+)/g), ...dockerfile.matchAll(/^FROM (\S+)/gm)].map(
    (match) => match[1],
  );
  expect(images.length).toBeGreaterThan(4);
  expect(images.filter((image) => image !== 'gantry' && !/:[^:]*\d/.test(image ?? ''))).toEqual([]);
});

test('the image runs as an ordinary user, and carries no sources', () => {
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  expect(last).toMatch(/^USER node$/m);
  expect(last).not.toMatch(/\bsrc\b.*\.\/src/);
  expect(last.indexOf('USER node')).toBeLessThan(last.indexOf('ENTRYPOINT'));
});

test('every stage that is copied from exists, and every file that is copied is there', () => {
  const stages = new Set([...dockerfile.matchAll(/^FROM \S+ AS (\S+)$/gm)].map((match) => match[1]));
  const copied = [...dockerfile.matchAll(/^COPY --from=(\S+) \/app\/(\S+) /gm)];
  expect(copied.length).toBeGreaterThan(3);
  for (const [, stage, file] of copied) {
    expect(stages).toContain(stage);
    if (file !== 'node_modules' && file !== 'dist') expect([file, existsSync(file ?? '')]).toEqual([file, true]);
  }
});

const composed = hasCommand('docker-compose');
(composed ? test : test.skip)('docker-compose takes the file', () => {
  const env = { ...process.env, SECRET_KEY: 'ab'.repeat(32) };
  const run = spawnSync('docker-compose', ['-f', 'docker-compose.yml', 'config', '-q'], { env, encoding: 'utf8' });
  expect([run.status, run.stderr]).toEqual([0, '']);
});

(composed ? test : test.skip)('docker-compose refuses the file without a SECRET_KEY', () => {
  const { SECRET_KEY: _left, ...env } = process.env;
  const run = spawnSync('docker-compose', ['-f', 'docker-compose.yml', 'config', '-q'], { env, encoding: 'utf8' });
  expect(run.status).not.toBe(0);
});
