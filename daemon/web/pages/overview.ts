import { durationText, percentText, timeText, type Words } from '../format.ts';
import { type Html, html, jsonBlock } from '../html.ts';
import type { DeviceStanding, SiteSnapshot } from '../snapshot.ts';
import { STRIP_DAYS } from '../snapshot.ts';
import { type StatePiece, type Strip, stripOf, stripSvg } from '../strip.ts';
import { card, devicePath, type Frame, pageHtml, statePill } from './layout.ts';

const DAY = 86_400_000;
const DAY_SLOTS = 48;
/** Devices on one page: with more, a list is longer than anybody reads, and slower than it has to be. */
export const PAGE_SIZE = 250;

export interface OverviewPage {
  readonly frame: Omit<Frame, 'title' | 'current'>;
  readonly snapshot: SiteSnapshot;
  readonly timelines: ReadonlyMap<string, readonly StatePiece[]>;
  /** What the list was searched for; `''` for all. */
  readonly query: string;
  /** From 1. */
  readonly page: number;
}

/** The site at a glance: what is wrong and since when, then all devices by class. */
export function overviewPage(options: OverviewPage): string {
  const { frame, snapshot, query } = options;
  const { words } = frame;
  const { overview } = words.messages;
  const found = snapshot.devices.filter((device) => fits(device, query));
  const pages = Math.max(1, Math.ceil(found.length / PAGE_SIZE));
  const page = Math.min(Math.max(1, options.page), pages);
  const shown = found.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
  const classes = Map.groupBy(shown, (device) => device.class);
  return pageHtml(
    { ...frame, current: 'overview', title: overview.title, scripts: ['overview.js'] },
    html`<div id="now">${nowSection(options)}</div>
${
  (snapshot.devices.length > 12 || query !== '') &&
  html`<form class="find" method="get" action="/" role="search"><input type="search" name="q" value="${query}" aria-label="${overview.find}" placeholder="${overview.find}"><button class="quiet">${overview.search}</button>${query !== '' && html`<a class="button quiet" href="/">${overview.clear}</a>`}</form>`
}
${found.length === 0 && query !== '' && html`<p class="soft">${overview.noMatch}</p>`}
${[...classes].map(([deviceClass, devices]) =>
  card(
    words.messages.classes[deviceClass],
    html`<ul class="device-list">${devices.map((device) => deviceRow(device, options))}</ul>`,
  ),
)}
${pages > 1 && pager(page, pages, found.length, query, words)}
${jsonBlock('words', clientWords(words))}`,
  );
}

function fits({ name, address, identity, state }: DeviceStanding, query: string): boolean {
  if (query === '') return true;
  const wanted = query.toLowerCase();
  return [name, address, identity?.vendor, identity?.model, identity?.serial, identity?.sysName, state].some((text) =>
    text?.toLowerCase().includes(wanted),
  );
}

function nowSection({ frame: { words }, snapshot }: OverviewPage): Html {
  const { overview, states } = words.messages;
  const { devices, wrong, at } = snapshot;
  const { tone, title } = headline(snapshot, words);
  const counts = Map.groupBy(devices, ({ state }) => state);
  return html`<section class="hero ${tone}" aria-live="polite"><span class="lamp" aria-hidden="true">${lampSign(tone)}</span><div><h1>${title}</h1><p class="soft"><span data-as-of>${overview.asOf(timeText(at, words, 'time'))}</span>${devices.length === 0 && html` ${overview.emptyHint}`}</p></div>
<div class="figures">${(['up', 'down', 'unreachable', 'maintenance', 'unknown'] as const).map((state) => {
    const count = counts.get(state)?.length ?? 0;
    return (count > 0 || state === 'up') && html`<div><b>${count}</b><span>${states[state]}</span></div>`;
  })}</div></section>
${
  wrong.length > 0 &&
  html`<section class="card now-card"><div class="card-head"><h2>${overview.wrongNow}</h2></div><ul class="wrong-list">${wrong
    .slice(0, MOST_WRONG)
    .map(
      (device) =>
        html`<li><span>${devicePill(device, words)}</span><span class="what"><a href="${devicePath(device.name)}">${device.name}</a> ${device.findings.map(({ text }) => text).join(' · ')}</span><span class="when">${sinceText(device, at, words)}</span></li>`,
    )}</ul></section>`
}`;
}

const MOST_WRONG = 100;

export function headline(
  { devices, wrong, starting }: SiteSnapshot,
  { messages: { overview } }: Words,
): { readonly tone: 'good' | 'bad' | 'warn' | 'unknown'; readonly title: string } {
  if (devices.length === 0) return { tone: 'unknown', title: overview.empty };
  if (starting) return { tone: 'unknown', title: overview.starting };
  if (wrong.length === 0) return { tone: 'good', title: overview.allUp(devices.length) };
  const bad = wrong.some(({ findings }) => findings[0]?.severity === 'bad');
  return { tone: bad ? 'bad' : 'warn', title: overview.someWrong(wrong.length, devices.length) };
}

function lampSign(tone: string): Html {
  switch (tone) {
    case 'good':
      return html`<svg viewBox="0 0 24 24"><path d="m5 13 5 5 9-11"/></svg>`;
    case 'unknown':
      return html`<svg viewBox="0 0 24 24"><path d="M12 6v6l4 3"/></svg>`;
    default:
      return html`<svg viewBox="0 0 24 24"><path d="M12 5v9M12 19v.01"/></svg>`;
  }
}

/** The state in its colour and word. A device that is up and has something wrong with it does not pass for a good one. */
export function devicePill(device: DeviceStanding, words: Words): Html {
  return statePill(toneOf(device), stateWord(device, words));
}

export function toneOf({ state, findings }: Pick<DeviceStanding, 'state' | 'findings'>): string {
  return state === 'up' && findings.length > 0 ? 'warn' : state;
}

export function stateWord({ state, findings: [worst] }: DeviceStanding, { messages }: Words): string {
  return state === 'up' && worst ? messages.upBut[worst.severity] : messages.states[state];
}

/** `Kyocera TASKalfa 3554ci`; makers like to put their name into the model as well. */
export function whatItIs({ identity, address }: DeviceStanding): string {
  const { vendor = '', model = '' } = identity ?? {};
  const named = model.toLowerCase().startsWith(vendor.toLowerCase()) ? model : `${vendor} ${model}`;
  return named.trim() || vendor || address;
}

/** How long the state lasts. What is wrong with a device that is up may be younger, and nobody noted when it began. */
export function sinceText({ state, since }: DeviceStanding, now: number, words: Words): string {
  return state === 'up'
    ? ''
    : words.messages.overview.since(`${timeText(since, words)} (${durationText(now - since, words)})`);
}

function deviceRow(device: DeviceStanding, { frame: { words }, snapshot: { at }, timelines }: OverviewPage): Html {
  const { overview } = words.messages;
  const pieces = timelines.get(device.name) ?? [];
  const day = stripOf(pieces, { from: (at - DAY) as typeof at, to: at, slots: DAY_SLOTS });
  const month = stripOf(pieces, { from: (at - STRIP_DAYS * DAY) as typeof at, to: at, slots: STRIP_DAYS });
  return html`<li data-device="${device.name}"><span class="name"><a href="${devicePath(device.name)}">${device.name}</a><small>${whatItIs(device)}</small></span>${devicePill(device, words)}${stripBox(day, overview.day, words)}${stripBox(month, overview.month, words, 'month')}</li>`;
}

export function stripBox(strip: Strip, what: string, words: Words, extra = ''): Html {
  return html`<div class="strip-box ${extra}">${stripSvg(strip, what, words)}<div aria-hidden="true"><span>${what}</span><span>${strip.up !== undefined && percentText(strip.up, words, 2)}</span></div></div>`;
}

function pager(page: number, pages: number, all: number, query: string, words: Words): Html {
  const { overview } = words.messages;
  const link = (to: number) => `/?${new URLSearchParams({ ...(query === '' ? {} : { q: query }), page: String(to) })}`;
  return html`<nav class="pager" aria-label="${overview.devices}">${page > 1 && html`<a href="${link(page - 1)}" rel="prev">${overview.before}</a>`}<span class="soft">${overview.shown((page - 1) * PAGE_SIZE + 1, Math.min(all, page * PAGE_SIZE), all)}</span>${page < pages && html`<a href="${link(page + 1)}" rel="next">${overview.after}</a>`}</nav>`;
}

/** What the live part says; it gets everything else with each event. */
function clientWords({ messages }: Words) {
  return { wrongNow: messages.overview.wrongNow, states: messages.states, lost: messages.live.off };
}
