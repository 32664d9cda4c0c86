// Builds the admin UI into dist/admin, from where the server serves it at /admin. Used by bin/prepare.cjs and by hand with
// `npx vite -c admin/vite.config.ts` (development, API calls go to a server on port 3000).
// Everything comes from files of our own: no inline script, no data: asset, for the Content-Security-Policy forbids both.
import path from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const root = import.meta.dirname;

export default defineConfig({
  root,
  base: '/admin/',
  plugins: [react()],
  build: {
    outDir: path.join(root, '../dist/admin'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    // light-dark() is left as it is: rewritten for older browsers it would not follow Mantine's colour scheme.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:3000' } },
});
