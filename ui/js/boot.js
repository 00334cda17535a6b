// @ts-check
// Runs in <head>, before the first paint: the chosen theme must be on the root by then. After that it
// loads the page. A file and not an inline script, because the server's policy allows none.

const chosen = (() => {
  try { return localStorage.getItem('weir.theme'); } catch { return null; }
})();
if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;

// A window in the POSIX locale calls its language "C", which Intl refuses, and uPlot with it.
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en' });
}

const base = new URL('.', /** @type {HTMLScriptElement} */ (document.currentScript).src);

const fail = (error) => {
  console.error(error);
  const boot = document.getElementById('boot');
  if (boot) boot.textContent = `The page could not start: ${error?.message ?? error}. A current browser with WebAssembly is needed.`;
};

// Deferred scripts (uPlot) have run by the time the document is ready.
const ready = new Promise((go) => document.addEventListener('DOMContentLoaded', go, { once: true }));

Promise.all([import(new URL('weir-ui.js', base).href), ready])
  .then(([page]) => page.default({ module_or_path: new URL('weir-ui_bg.wasm', base) }))
  .catch(fail);
