// Archives for the tests, good and bad ones: tar by tar-stream, zip byte by byte so that nothing is mended on the way.
import { buffer } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';

export interface TarEntry extends Partial<Header> {
  name: string;
  content?: string | Buffer;
}

export async function buildTar(entries: TarEntry[]): Promise<Buffer> {
  const packing = pack();
  const bytes = buffer(packing as unknown as Readable);
  for (const { content, ...header } of entries) {
    await new Promise<void>((resolve, reject) => {
      packing.entry(header, content ?? '', (error) => (error ? reject(error) : resolve()));
    });
  }
  packing.finalize();
  return bytes;
}

export async function buildTarGz(entries: TarEntry[]): Promise<Buffer> {
  return gzipSync(await buildTar(entries));
}

/** A site whose every file says its version. */
export function siteFiles(version: string, count = 5): TarEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `part-${index % 7}/file-${index}.txt`,
    content: version,
  }));
}

export interface ZipEntry {
  name: string;
  content?: Buffer | string;
  mode?: number;
  flags?: number;
}

export function buildZip(entries: ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const plain = Buffer.from(entry.content ?? '');
    const packed = deflateRawSync(plain, { level: 9 });
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(0x0800 | (entry.flags ?? 0), 2);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(0, 6);
    fields.writeUInt32LE(crc32(plain), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(plain.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('504b0304', 'hex'), fields, name, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    centrals.push(Buffer.concat([Buffer.from('504b01021403', 'hex'), fields, tail, name]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length & 0xffff, 8);
  end.writeUInt16LE(entries.length & 0xffff, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}
