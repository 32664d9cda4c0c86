// Sets light or dark before anything is painted. A file of its own, because the Content-Security-Policy allows no inline
// script. Reads the key that MantineProvider writes (main.tsx).
/* global document, localStorage, window */
(function () {
  let stored = null;
  try {
    stored = localStorage.getItem('gantry-color-scheme');
  } catch {
    // Storage may be forbidden; the system's choice then counts.
  }
  const dark = stored === 'dark' || (stored !== 'light' && window.matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
