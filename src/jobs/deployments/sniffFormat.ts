// Tells what an artifact is by its first bytes, never by its name or by what the sender says. Called by uploadArtifact.

export type ArtifactFormat = 'tar' | 'tar.gz' | 'zip' | 'file';

/** A tar header carries "ustar" at offset 257, within its first block. */
const TAR_MAGIC_AT = 257;
/** How many first bytes are needed to tell. */
export const SNIFF_BYTES = 512;

export function sniffFormat(head: Buffer): ArtifactFormat {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'tar.gz';
  const zip = head.subarray(0, 4).toString('latin1');
  if (zip === 'PK\u0003\u0004' || zip === 'PK\u0005\u0006') return 'zip';
  if (head.subarray(TAR_MAGIC_AT, TAR_MAGIC_AT + 5).toString('latin1') === 'ustar') return 'tar';
  return 'file';
}
