import { timeText } from '../format.ts';
import { html } from '../html.ts';
import type { WindowView } from '../page-sources.ts';
import { card, type Frame, formToken, pageHtml, statePill } from './layout.ts';

export interface MaintenancePage {
  readonly frame: Omit<Frame, 'title' | 'current'>;
  readonly windows: readonly WindowView[];
  readonly now: number;
  readonly devices: readonly string[];
  readonly mayEnter: boolean;
  readonly entered: boolean;
}

export const DURATIONS_MINUTES = [30, 60, 120, 240, 480, 1440] as const;

export function maintenancePage({ frame, windows, now, devices, mayEnter, entered }: MaintenancePage): string {
  const { words } = frame;
  const { maintenance: text } = words.messages;
  const length = (minutes: number) => (minutes < 60 ? text.minutes(minutes) : text.hours(minutes / 60));
  return pageHtml(
    { ...frame, current: 'maintenance', title: text.title },
    html`<div class="page-head"><h1>${text.title}</h1><p>${text.intro}</p></div>
${entered && html`<p class="notice good" role="status">${text.entered}</p>`}
${
  mayEnter &&
  card(
    text.enter,
    html`<form class="row-form" method="post" action="/maintenance">${formToken(frame.request)}<label>${text.devices}<input name="devices" list="names" required maxlength="2000"></label><datalist id="names">${devices.slice(0, 500).map((name) => html`<option value="${name}"></option>`)}</datalist><label>${text.duration}<select name="minutes">${DURATIONS_MINUTES.map((minutes) => html`<option value="${minutes}"${minutes === 60 && html` selected`}>${length(minutes)}</option>`)}</select></label><label>${text.reason}<input name="reason" required maxlength="1000"></label><button>${text.start}</button></form>`,
  )
}
${card(
  text.open,
  windows.length === 0
    ? html`<p class="soft">${text.none}</p>`
    : html`<div class="table"><table><thead><tr><th scope="col">${text.from}</th><th scope="col">${text.to}</th><th scope="col"></th><th scope="col">${text.reason}</th><th scope="col">${words.messages.reports.device}</th></tr></thead><tbody>${windows.map(
        ({ name, devices: meant, from, to }) =>
          html`<tr><td class="nowrap">${timeText(from, words)}</td><td class="nowrap">${timeText(to, words)}</td><td>${from <= now ? statePill('maintenance', text.now) : statePill('unknown', text.planned)}</td><td>${name}</td><td>${meant.join(', ')}</td></tr>`,
      )}</tbody></table></div>`,
)}`,
  );
}
