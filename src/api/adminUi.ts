// Serves the built admin UI under /admin/: files as they are, every other address as the page, with a fresh CSP nonce in it.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import express, { Router } from 'express';
import { GantryError } from '../lib/errors';

/** Beside the compiled server: dist/admin; from the sources, the same place of the checkout. */
const FOLDERS = [path.resolve(__dirname, '../admin'), path.resolve(__dirname, '../../dist/admin')];

export function adminUi(): Router {
  const router = Router();
  const folder = FOLDERS.find((each) => existsSync(path.join(each, 'index.html')));
  if (folder) {
    const files = { index: false, redirect: false, immutable: true, maxAge: '1y' } as const;
    router.use('/assets', express.static(path.join(folder, 'assets'), files), (_request, _response, next) =>
      next('router'),
    );
    router.use(express.static(folder, { index: false, redirect: false }));
  }
  const page = folder ? readFileSync(path.join(folder, 'index.html'), 'utf8') : null;
  router.get('/{*path}', (_request, response) => {
    if (!page)
      throw new GantryError('not_found', 'The admin UI was not built. Run `npm run build`; the API works without it.');
    response.type('html').setHeader('Cache-Control', 'no-store');
    response.send(page.replaceAll('__CSP_NONCE__', String(response.locals['nonce'])));
  });
  return router;
}
