/** What the scripts of several pages share. The only script that knows the packages. */
import htm from './htm.mjs';
import { h, render } from './preact.mjs';

export { h, render };
/** Templates whose values are text, never markup. */
export const html = htm.bind(h);

/** The words that the server put into the page. */
export function words() {
  return JSON.parse(document.getElementById('words')?.textContent ?? '{}');
}

/**
 * Calls `take` with what changes on the site. After a lost connection the page is loaded anew: what it missed is on it.
 * @param {(site: any, asOf: string) => void} take
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
