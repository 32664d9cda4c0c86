// The sources of a version that people run today, taken from the history into a scratch folder, to be run beside these.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.join(__dirname, '..', '..');

/**
 * The versions from which an upgrade with work in flight is promised. A migration that is added appends the commit before it.
 * Each must still be able to run on today's node_modules.
 */
export const OLD_VERSIONS = [
  { commit: '2c6fd4bc1e39b39a6dfe743d34f880acd531a4dc', migration: '0002-deployments' },
] as const;

export function hasHistory(commit: string): boolean {
  return spawnSync('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: ROOT, stdio: 'ignore' }).status === 0;
}

/** @returns the folder; `remove` it at the end. */
export function checkOut(commit: string): { folder: string; remove(): void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'gantry-old-'));
  const archive = execFileSync('git', ['archive', commit, 'src', 'package.json'], {
    cwd: ROOT,
    maxBuffer: 64 * 1024 * 1024,
  });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
