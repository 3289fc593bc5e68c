/** The live part of the overview: what is wrong now, and the state of each device. */
import { h, html, listen, render, words } from './live.js';

/** @import { Site } from './live.js' */

const SIGNS = /** @type {Record<string, string>} */ ({ good: 'm5 13 5 5 9-11', unknown: 'M12 6v6l4 3' });
const now = document.getElementById('now');
const { wrongNow = '', lost = '' } = words();

/** @param {Site & { asOf: string }} site */
function Now({ tone, title, figures, wrong, asOf }) {
  return html`<section class="hero ${tone}" aria-live="polite"><span class="lamp" aria-hidden="true"><svg viewBox="0 0 24 24"><path d=${SIGNS[tone] ?? 'M12 5v9M12 19v.01'} /></svg></span>
<div><h1>${title}</h1><p class="soft"><span data-as-of>${asOf}</span></p></div>
<div class="figures">${figures.map(([count, state]) => html`<div><b>${count}</b><span>${state}</span></div>`)}</div></section>
${
  wrong.length > 0 &&
  html`<section class="card now-card"><div class="card-head"><h2>${wrongNow}</h2></div><ul class="wrong-list">${wrong.map(
    (device) => html`<li key=${device.path}><span><span class="pill state-${device.tone}">${device.state}</span></span>
<span class="what"><a href=${device.path}>${device.name}</a> ${device.text}</span><span class="when">${device.since}</span></li>`,
  )}</ul></section>`
}`;
}

listen(
  (site, asOf) => {
    for (const [name, tone, state] of site.changed) {
      const pill = document.querySelector(`[data-device="${CSS.escape(name)}"] .pill`);
      if (!pill) continue;
      pill.className = `pill state-${tone}`;
      pill.textContent = state;
    }
    if (!now) return;
    // What the server drew is of the same shape; the first event takes its place.
    if (!now.dataset['live']) now.replaceChildren();
    now.dataset['live'] = 'yes';
    render(h(Now, { ...site, asOf }), now);
  },
  () => {
    const time = document.querySelector('[data-as-of]');
    if (time) time.textContent = lost;
  },
);
