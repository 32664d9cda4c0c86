// Starts the admin UI. The nonce of the page is what lets Mantine's own <style> elements pass the Content-Security-Policy.
import '@mantine/core/styles.css';
import './global.css';
import { createRoot } from 'react-dom/client';
import { App } from './App';

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
// Read by get-nonce, which the scroll lock of dialogs asks for the nonce of its style element.
Object.assign(globalThis, { __webpack_nonce__: nonce });

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root.');
createRoot(root).render(<App nonce={nonce} />);
