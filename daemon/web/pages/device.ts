import type { Reading } from '#collectors/contract.ts';
import type { KeptEvent } from '../../inventory/ledger.ts';
import { type ChartData, type ChartName, RANGE_LENGTHS, RANGES, type Range } from '../charts.ts';
import { detailText } from '../events.ts';
import { bitRateText, bytesText, durationText, numberText, percentText, timeText, type Words } from '../format.ts';
import { type Html, html, jsonBlock } from '../html.ts';
import { type InterfaceRow, interfacesOf } from '../interfaces.ts';
import { plainChart } from '../plain-chart.ts';
import type { DeviceStanding } from '../snapshot.ts';
import { STRIP_DAYS } from '../snapshot.ts';
import { type StatePiece, stripOf } from '../strip.ts';
import { inkOf, type SupplyRow, suppliesOf, supplyTone } from '../supplies.ts';
import { topicsOf } from '../topics.ts';
import { card, devicePath, type Frame, facts, formToken, pageHtml, statePill } from './layout.ts';
import { devicePill, sinceText, stripBox, whatItIs } from './overview.ts';

const DAY = 86_400_000;
const MOST_ROWS = 60;
const SHORTEST_SPAN = 1_800_000;

export interface DevicePage {
  readonly frame: Omit<Frame, 'title' | 'current'>;
  readonly device: DeviceStanding;
  readonly now: number;
  readonly parent?: string;
  readonly readings: readonly Reading[];
  readonly pieces: readonly StatePiece[];
  /** What discovery saw of it, newest first. */
  readonly seen: readonly KeptEvent[];
  readonly charts: readonly { readonly name: ChartName; readonly data: ChartData }[];
  readonly range: Range;
  /** May ask the device anew. */
  readonly mayDiagnose: boolean;
}

/** Everything that is known of one device, what matters first. */
export function devicePage(page: DevicePage): string {
  const { frame, device, readings, now } = page;
  const { words } = frame;
  const { device: text } = words.messages;
  const supplies = suppliesOf(readings);
  const interfaces = interfacesOf(readings);
  const meters = readings.filter(({ metric }) => metric === 'siteward_printer_meter_pages_total');
  return pageHtml(
    { ...frame, title: device.name, scripts: ['device.js'], styles: ['uplot.css'] },
    html`<div class="page-head"><h1>${device.name}</h1><span data-device="${device.name}">${devicePill(device, words)}</span><span class="soft">${sinceText(device, now, words)}</span>${page.mayDiagnose && diagnoseForm(page)}</div>
${wrong(device, words)}
<div class="columns">${identity(page)}${availability(page)}</div>
${supplies.length > 0 && card(text.supplies, supplyBars(supplies, words), { id: 'supplies' })}
${history(page)}
${card(text.readings, readingLists(readings, words), { id: 'readings' })}
${interfaces.length > 0 && card(text.interfaces, interfaceTable(page, interfaces), { id: 'interfaces' })}
<div class="columns">${meters.length > 0 && card(text.meters, meterTable(meters, words), { id: 'meters' })}${card(text.events, eventList(page, words), { id: 'events' })}</div>`,
  );
}

function diagnoseForm({ frame, device }: DevicePage): Html {
  const { device: text } = frame.words.messages;
  return html`<form method="post" action="${devicePath(device.name)}/diagnosis">${formToken(frame.request)}<button class="quiet" title="${text.diagnoseHint}">${text.diagnose}</button></form>`;
}

function wrong({ findings, problems }: DeviceStanding, { messages }: Words): Html | undefined {
  if (findings.length === 0 && problems.length === 0) return undefined;
  return card(
    messages.device.problems,
    html`${
      findings.length > 0 &&
      html`<ul class="findings">${findings.map(({ severity, text }) => html`<li>${statePill(severity === 'bad' ? 'down' : 'warn', text)}</li>`)}</ul>`
    }${
      problems.length > 0 &&
      html`<ul class="problems">${problems.map(({ code, message, hint }) => html`<li><b>${message}</b><p class="soft">${hint} <code>${code}</code></p></li>`)}</ul>`
    }`,
    { id: 'problems' },
  );
}

function identity({ frame: { words }, device, parent, readings }: DevicePage): Html {
  const { device: text, classes } = words.messages;
  const { identity: known } = device;
  const uptime = readings.find(({ metric }) => metric === 'siteward_device_uptime_seconds');
  return card(
    whatItIs(device),
    facts([
      [text.address, device.address],
      [text.class, classes[device.class]],
      [text.serial, known?.serial],
      [text.version, known?.version],
      [text.sysName, known?.sysName],
      [text.uptime, uptime && durationText(Number(uptime.value) * 1000, words)],
      [text.parent, parent === undefined ? undefined : html`<a href="${devicePath(parent)}">${parent}</a>`],
      [text.profile, known?.profile],
    ]),
    { id: 'identity' },
  );
}

function availability({ frame: { words }, pieces, now }: DevicePage): Html {
  const { device: text, overview, states } = words.messages;
  const span = (days: number, slots: number) =>
    stripOf(pieces, { from: (now - days * DAY) as StatePiece['from'], to: now as StatePiece['to'], slots });
  return card(
    text.availability,
    html`<div class="strips">${stripBox(span(1, 48), overview.day, words)}${stripBox(span(STRIP_DAYS, STRIP_DAYS), overview.month, words)}</div><h3 id="outages">${text.outages}</h3>${outageTable(pieces, now, words)}`,
    {
      id: 'availability',
      aside: html`<span class="legend">${(['up', 'down', 'unreachable', 'maintenance', 'unknown'] as const)
        .filter((state) => pieces.some((piece) => piece.state === state))
        .map((state) => statePill(state, states[state]))}</span>`,
    },
  );
}

function supplyBars(supplies: readonly SupplyRow[], words: Words): Html {
  const { device: text } = words.messages;
  return html`<div class="bars columns">${supplies.map((row) => {
    const level = row.level === undefined ? text.notKnown : percentText(row.level, words);
    const days = row.daysLeft === undefined ? '' : ` · ${text.daysLeft(numberText(row.daysLeft, words))}`;
    return html`<div class="${inkOf(row)} ${supplyTone(row)}"><div class="head"><span>${row.description || row.supply}</span><span>${level}${days}</span></div>${
      row.level !== undefined &&
      html`<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="${Math.round(Math.min(1, Math.max(0, row.level)) * 100)}" height="8"/></svg>`
    }</div>`;
  })}</div>`;
}

function history({ frame: { words }, device, charts, range, now }: DevicePage): Html {
  const { device: text } = words.messages;
  const tabs = html`<nav class="tabs" aria-label="${text.history}">${RANGES.map(
    (each) =>
      html`<a href="?range=${each}#history"${each === range && html` aria-current="true"`}>${text.ranges[each]}</a>`,
  )}</nav>`;
  return card(
    text.history,
    html`${charts.length === 0 && html`<p class="soft">${text.noHistory}</p>`}<div class="charts">${charts.map(
      ({ name, data }) => {
        const span = shownSpan(data, now, range);
        return html`<figure class="chart" data-chart="${name.id}" data-source="${historyPath(device.name, name.id, range)}" data-unit="${name.unit}" data-from="${Math.round(span.from / 1000)}" data-to="${Math.round(span.to / 1000)}"><figcaption>${name.title}</figcaption>${plainChart(name, data, span, words)}${lineKeys(data)}</figure>`;
      },
    )}</div>${jsonBlock('words', { locale: words.messages.locale, timezone: words.timezone })}`,
    { id: 'history', aside: tabs },
  );
}

/** Where a script gets the data of a chart. What stands in other attributes is what a page shows, and may name another. */
function historyPath(device: string, chart: string, range: Range): string {
  return `/api/v1${devicePath(device)}/history?${new URLSearchParams({ chart, range })}`;
}

/** A history that has only begun is drawn large, instead of as a speck at the edge of an empty chart. */
function shownSpan({ times: [first] }: ChartData, now: number, range: Range): { from: number; to: number } {
  const known = first === undefined ? 0 : now - first * 1000;
  return { from: now - Math.min(RANGE_LENGTHS[range], Math.max(SHORTEST_SPAN, known * 1.1)), to: now };
}

function lineKeys({ lines }: ChartData): Html | undefined {
  if (lines.length < 2 && !lines[0]?.name) return undefined;
  return html`<p class="keys">${lines.map(({ name }, index) => html`<span><i class="line-${index % 8}"></i>${name}</span>`)}</p>`;
}

function readingLists(readings: readonly Reading[], words: Words): Html {
  const topics = topicsOf(readings, words);
  if (topics.length === 0) return html`<p class="soft">${words.messages.device.noReadings}</p>`;
  return html`<div class="readings">${topics.map(
    ([topic, rows]) =>
      html`<div><h3>${words.messages.topics[topic]}</h3><dl>${rows.map(
        ({ name, text, bad }) => html`<div><dt>${name}</dt><dd>${bad ? statePill('down', text) : text}</dd></div>`,
      )}</dl></div>`,
  )}</div>`;
}

function interfaceTable({ frame: { words }, range }: DevicePage, rows: readonly InterfaceRow[]): Html {
  const { device: text } = words.messages;
  const count = (value: bigint | undefined) => (value === undefined ? '' : bytesText(Number(value), words));
  return html`<div class="table"><table><thead><tr><th scope="col">${text.interface}</th><th scope="col">${text.status}</th><th scope="col" class="number">${text.speed}</th><th scope="col" class="number">${text.received}</th><th scope="col" class="number">${text.sent}</th><th scope="col" class="number">${text.errors}</th><th scope="col" class="number">${text.discards}</th></tr></thead><tbody>${rows
    .slice(0, 400)
    .map((row) => {
      const { state, word } = interfaceState(row, words);
      return html`<tr${row.up === false && html` class="weak"`}><th scope="row"><a href="?${String(new URLSearchParams({ range, interface: row.name }))}#history">${row.name}</a>${row.alias !== '' && html` <small>${row.alias}</small>`}</th><td>${statePill(state, word)}</td><td class="number">${row.speed !== undefined && row.speed > 0 && bitRateText(row.speed, words)}</td><td class="number">${count(row.received)}</td><td class="number">${count(row.sent)}</td><td class="number">${numberText(row.errors, words)}</td><td class="number">${numberText(row.discards, words)}</td></tr>`;
    })}</tbody></table></div>`;
}

/** An interface that is not connected is a fault only to those who know that it should be: it is shown without alarm. */
function interfaceState(
  { up, enabled }: InterfaceRow,
  { messages: { device } }: Words,
): { state: string; word: string } {
  if (enabled === false) return { state: 'unknown', word: device.off };
  if (up === undefined) return { state: 'unknown', word: device.notKnown };
  return up ? { state: 'up', word: device.up } : { state: 'unknown', word: device.linkDown };
}

function meterTable(meters: readonly Reading[], words: Words): Html {
  const { device: text } = words.messages;
  return html`<div class="table"><table><thead><tr><th scope="col">${text.meter}</th><th scope="col" class="number">${text.pages}</th></tr></thead><tbody>${meters.map(
    ({ labels, value }) =>
      html`<tr><th scope="row">${labels['meter']?.replaceAll('_', ' ')}</th><td class="number">${numberText(value, words)}</td></tr>`,
  )}</tbody></table></div>`;
}

function outageTable(pieces: readonly StatePiece[], now: number, words: Words): Html {
  const { device: text, states } = words.messages;
  const outages = pieces.filter(({ state }) => state === 'down' || state === 'unreachable').toReversed();
  if (outages.length === 0) return html`<p class="soft">${text.noOutages}</p>`;
  return html`<div class="table"><table><thead><tr><th scope="col">${text.from}</th><th scope="col">${text.lasted}</th><th scope="col">${text.state}</th><th scope="col">${text.cause}</th></tr></thead><tbody>${outages
    .slice(0, MOST_ROWS)
    .map(
      ({ from, to, state, cause }) =>
        html`<tr><td class="nowrap">${timeText(from, words)}</td><td class="nowrap">${durationText(to - from, words)}${now - to < 60_000 && html` <small>${text.running}</small>`}</td><td>${statePill(state, states[state])}</td><td>${cause}</td></tr>`,
    )}</tbody></table></div>`;
}

function eventList({ pieces, seen }: DevicePage, words: Words): Html {
  const { device: text, states, seenKinds } = words.messages;
  const rows = [
    ...pieces.map(({ from, state, cause = '' }) => ({ at: from, what: statePill(state, states[state]), why: cause })),
    ...seen.map((event) => ({ at: event.at, what: html`<b>${seenKinds[event.kind]}</b>`, why: detailText(event) })),
  ].toSorted((a, b) => b.at - a.at);
  if (rows.length === 0) return html`<p class="soft">${text.noEvents}</p>`;
  return html`<div class="table"><table><thead><tr><th scope="col">${text.from}</th><th scope="col">${text.what}</th><th scope="col">${text.cause}</th></tr></thead><tbody>${rows
    .slice(0, MOST_ROWS)
    .map(
      ({ at, what, why }) =>
        html`<tr><td class="nowrap">${timeText(at, words)}</td><td>${what}</td><td>${why}</td></tr>`,
    )}</tbody></table></div>`;
}
