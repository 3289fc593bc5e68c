import { type Html, html } from './html.ts';
import { isoTime } from './json.ts';
import type { DeviceView, SiteView } from './site-view.ts';

const STYLE = `
:root{color-scheme:light dark;font-family:system-ui,sans-serif}
body{margin:0 auto;max-width:70rem;padding:1rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent)}
.state{font-weight:600}
`;

/** The site at a glance, without scripts: what is wrong first, then all devices by class. */
export function sitePage(view: SiteView): string {
  const devices = view.devices();
  const wrong = devices.filter(({ state }) => state !== 'up');
  return document(
    `${view.site.client} · ${view.site.id}`,
    html`<h1>${view.site.client}: ${view.site.id}</h1>
${view.demo && html`<p><strong>Demo:</strong> these devices are simulated. Write a config to watch your own.</p>`}
<h2>${wrong.length === 0 ? 'Nothing is wrong' : `${wrong.length} of ${devices.length} devices need a look`}</h2>
${wrong.length > 0 && deviceTable(wrong, view)}
<h2>All devices</h2>
${deviceTable(devices, view)}`,
  );
}

function deviceTable(devices: readonly DeviceView[], { site }: SiteView): Html {
  const rows = devices.toSorted((a, b) => a.class.localeCompare(b.class) || a.name.localeCompare(b.name));
  return html`<table><thead><tr><th scope="col">State</th><th scope="col">Since</th><th scope="col">Device</th><th scope="col">Class</th><th scope="col">What it is</th><th scope="col">Address</th><th scope="col">Problems</th></tr></thead><tbody>
${rows.map(
  (
    device,
  ) => html`<tr><td class="state">${device.state}</td><td>${isoTime(device.since, site.timezone).slice(0, 16).replace('T', ' ')}</td><td>${device.name}</td><td>${device.class}</td><td>${[device.identity?.vendor, device.identity?.model].filter(Boolean).join(' ')}</td><td>${device.address}</td><td>${device.problems.map(({ message }) => message).join('; ')}</td></tr>
`,
)}</tbody></table>`;
}

function document(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><link rel="stylesheet" href="/style.css"></head>
<body>${body}</body></html>`.text;
}

export const STYLE_SHEET = STYLE;
