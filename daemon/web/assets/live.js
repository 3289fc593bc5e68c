/** What the scripts of several pages share. The only script that knows the packages. */
import htm from './htm.mjs';
import { h, render } from './preact.mjs';

export { h, render };
/** Templates whose values are text, never markup. */
export const html = htm.bind(h);

/**
 * What the server put into a page for its script. The overview's has the first two, a device's the last two.
 * @typedef {{ wrongNow: string, lost: string, locale: string, timezone: string }} PageWords
 */

/** The words that the server put into the page. @returns {Partial<PageWords>} */
export function words() {
  return JSON.parse(document.getElementById('words')?.textContent ?? '{}');
}

/**
 * What `daemon/web/live.ts` tells.
 * @typedef {{ name: string, path: string, tone: string, state: string, text: string, since: string }} Wrong
 * @typedef {{ tone: string, title: string, figures: [number, string][], wrong: Wrong[], changed: [string, string, string][] }} Site
 */

/**
 * Calls `take` with what changes on the site. After a lost connection the page is loaded anew: what it missed is on it.
 * @param {(site: Site, asOf: string) => void} take
 * @param {() => void} lost
 */
export function listen(take, lost) {
  const source = new EventSource('/api/v1/live');
  let wasLost = false;
  source.addEventListener('open', () => {
    if (wasLost) location.reload();
  });
  source.addEventListener('error', () => {
    wasLost = true;
    lost();
  });
  source.addEventListener('site', (event) => {
    const [time = '{}', site = '{}'] = event.data.split('\n');
    take(JSON.parse(site), JSON.parse(time).as_of);
  });
  addEventListener('pagehide', () => source.close());
}
