// The small site that the demo deploys, packed as a tar archive in memory.
import { pack } from 'tar-stream';
import { buffer } from 'node:stream/consumers';

export function packSite(builtAt: Date): Promise<Buffer> {
  const archive = pack();
  const page = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Deployed by Gantry</title><link rel="stylesheet" href="style.css"></head>
  <body><h1>Deployed by Gantry</h1><p>Packed at ${builtAt.toISOString()}.</p></body>
</html>
`;
  archive.entry({ name: 'index.html' }, page);
  archive.entry({ name: 'style.css' }, 'body { font: 18px/1.5 system-ui; margin: 4rem auto; max-width: 40rem; }\n');
  archive.finalize();
  return buffer(archive);
}
