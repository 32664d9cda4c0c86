// Folders of releases on the target: DIR/<deployPath>/releases/<deployment id>, made whole before they get that name, and the
// link DIR/<deployPath>/current, switched by one rename. Called by deployStep; whoever reads `current` sees the old or the new, whole.
import { execFile } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { plainParts, quote } from './archiveRules';
import { STATE_FOLDER } from './stateFolder';
import { StepError } from './stepError';

export interface ReleasePlace {
  /** DIR/<deployPath> */
  folder: string;
  releases: string;
  /** DIR/<deployPath>/releases/<deployment id> */
  release: string;
  current: string;
  deploymentId: number;
}

/** Releases kept beside the current one count too: the newest five stay, and the current one always. */
const KEEP_RELEASES = 5;
/** Whatever begins so in `releases` is half made or half removed, and nobody's. */
const SCRATCH = '.tmp-';

/** Finds and makes the folders; refuses a path that leaves the root, by name or by a link that lies in the way. */
export async function openPlace(root: string, deployPath: string, deploymentId: number): Promise<ReleasePlace> {
  const parts = partsOf(deployPath);
  let folder = root;
  for (const part of [...parts, 'releases']) {
    folder = join(folder, part);
    await mkdir(folder, { mode: 0o755 }).catch(ignoreExists);
    if (!(await lstat(folder)).isDirectory()) throw badPath(`${folder} is not a folder (a link is not followed)`);
  }
  const place = join(root, ...parts);
  return {
    folder: place,
    releases: folder,
    release: join(folder, String(deploymentId)),
    current: join(place, 'current'),
    deploymentId,
  };
}

function partsOf(deployPath: string): string[] {
  let parts: string[];
  try {
    parts = plainParts(deployPath.replace(/^\/+/, ''), 'the deploy path');
  } catch (error) {
    throw badPath(error instanceof Error ? error.message : String(error));
  }
  if (parts.length === 0) throw badPath('it names no folder under the root');
  if (parts[0]?.toLowerCase() === STATE_FOLDER) throw badPath(`${quote(STATE_FOLDER)} is the agent's own folder`);
  return parts;
}

/**
 * Makes the release unless it is there already from the same content (`contentKey`). `fill` gets an empty folder; if it throws,
 * the folder is removed and nothing else has changed.
 */
export async function makeRelease(
  place: ReleasePlace,
  contentKey: string,
  fill: (into: string) => Promise<void>,
): Promise<void> {
  await clearScratch(place);
  if (await exists(place.release)) {
    if ((await readFile(keyFile(place), 'utf8').catch(() => '')) === contentKey) return;
    if ((await readCurrent(place)) === linkTo(place)) {
      throw badPath(`${place.release} is the current release and was made from other content`);
    }
    await discard(place, place.release);
  }
  const scratch = join(place.releases, `${SCRATCH}new-${place.deploymentId}`);
  await mkdir(scratch, { mode: 0o755 });
  try {
    await fill(scratch);
    // On disk before it counts: one sync of the file system instead of one for each of many small files.
    await promisify(execFile)('sync', ['-f', scratch]).catch(() => undefined);
    await writeFile(keyFile(place), contentKey);
    await rename(scratch, place.release);
  } catch (error) {
    await rm(scratch, { recursive: true, force: true });
    throw error;
  }
}

/** Where `current` points now, as written in the link; null if there is none. */
export async function readCurrent(place: ReleasePlace): Promise<string | null> {
  const state = await lstat(place.current).catch(() => null);
  if (state === null) return null;
  if (!state.isSymbolicLink())
    throw badPath(`${place.current} is no link, so it is left alone; move it away and deploy again`);
  return readlink(place.current);
}

/** The commit point: from this rename on, the target is the new version. Repeating it changes nothing. */
export async function switchCurrent(place: ReleasePlace, to: string = linkTo(place)): Promise<void> {
  if ((await readCurrent(place)) === to) return;
  const scratch = join(place.folder, '.gantry-current');
  await rm(scratch, { force: true });
  await symlink(to, scratch);
  await rename(scratch, place.current);
}

export async function removeCurrent(place: ReleasePlace): Promise<void> {
  await rm(place.current, { force: true });
}

export async function pruneReleases(place: ReleasePlace): Promise<void> {
  const current = await readCurrent(place);
  const ids = (await readdir(place.releases)).filter((name) => /^\d+$/.test(name)).map(Number);
  const old = ids.sort((a, b) => b - a).slice(KEEP_RELEASES);
  for (const id of old) {
    if (current === `releases/${id}`) continue;
    await discard(place, join(place.releases, String(id)));
    await rm(join(place.releases, `.${id}.content`), { force: true });
  }
}

function linkTo(place: ReleasePlace): string {
  return `releases/${place.deploymentId}`;
}

/** Says what a release was made of; beside the release, so that the release holds nothing but the artifact. */
function keyFile(place: ReleasePlace): string {
  return join(place.releases, `.${place.deploymentId}.content`);
}

/** Renamed first: a kill in the middle of the removal leaves scratch, never half a release. */
async function discard(place: ReleasePlace, release: string): Promise<void> {
  const scratch = join(place.releases, `${SCRATCH}old-${process.pid}-${Date.now()}`);
  await rename(release, scratch);
  await rm(scratch, { recursive: true, force: true });
}

/** Only one command is in work at a time, so scratch found here was left by a kill. */
async function clearScratch(place: ReleasePlace): Promise<void> {
  for (const name of await readdir(place.releases)) {
    if (name.startsWith(SCRATCH)) await rm(join(place.releases, name), { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}

function ignoreExists(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

function badPath(why: string): StepError {
  return new StepError('bad_path', `Nothing was switched: ${why}.`);
}
