import { timeText } from '../format.ts';
import { type Html, html } from '../html.ts';
import type { WindowView } from '../page-sources.ts';
import { card, type Frame, formToken, pageHtml, statePill } from './layout.ts';

export interface MaintenancePage {
  readonly frame: Omit<Frame, 'title' | 'current'>;
  readonly windows: readonly WindowView[];
  readonly now: number;
  readonly devices: readonly string[];
  readonly mayEnter: boolean;
  /** What was just done here. */
  readonly done: 'entered' | 'ended' | undefined;
}

export const DURATIONS_MINUTES = [30, 60, 120, 240, 480, 1440] as const;

export function maintenancePage({ frame, windows, now, devices, mayEnter, done }: MaintenancePage): string {
  const { words } = frame;
  const { maintenance: text } = words.messages;
  const length = (minutes: number) => (minutes < 60 ? text.minutes(minutes) : text.hours(minutes / 60));
  return pageHtml(
    { ...frame, current: 'maintenance', title: text.title },
    html`<div class="page-head"><h1>${text.title}</h1><p>${text.intro}</p></div>
${done !== undefined && html`<p class="notice good" role="status">${text[done]}</p>`}
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
    : html`<div class="table stacked"><table><thead><tr><th scope="col">${text.from}</th><th scope="col">${text.to}</th><th scope="col"></th><th scope="col">${text.reason}</th><th scope="col">${words.messages.reports.device}</th><th scope="col">${text.by}</th><th scope="col">${mayEnter && text.end}</th></tr></thead><tbody>${windows.map(
        ({ key, name, devices: meant, from, to, entered, author }) =>
          html`<tr><td class="nowrap" data-name="${text.from}">${timeText(from, words)}</td><td class="nowrap" data-name="${text.to}">${timeText(to, words)}</td><td>${from <= now ? statePill('maintenance', text.now) : statePill('unknown', text.planned)}</td><td data-name="${text.reason}">${name}</td><td data-name="${words.messages.reports.device}">${meant.join(', ')}</td><td data-name="${text.by}">${entered ? author : text.config}</td><td>${mayEnter && entered && endForm(key, frame)}</td></tr>`,
      )}</tbody></table></div>`,
)}`,
  );
}

/** Only what a person entered is ended here; what stands in the config would come back with the next reload. */
function endForm(key: string, { words, request }: Pick<Frame, 'words' | 'request'>): Html {
  const { maintenance: text } = words.messages;
  return html`<form class="end-form" method="post" action="/maintenance/${key}/end">${formToken(request)}<input name="reason" required maxlength="1000" aria-label="${text.endReason}" placeholder="${text.endReason}"><button class="quiet">${text.endNow}</button></form>`;
}
