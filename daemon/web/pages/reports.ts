import { durationText, numberText, percentText, type Words } from '../format.ts';
import { type Html, html } from '../html.ts';
import type { MetersJson, SlaJson } from '../page-sources.ts';
import { card, devicePath, type Frame, pageHtml, statePill } from './layout.ts';

export const PERIODS = ['this-month', 'last-month'] as const;
export type ReportPeriod = (typeof PERIODS)[number];

export interface ReportsPage {
  readonly frame: Omit<Frame, 'title' | 'current'>;
  readonly period: ReportPeriod;
  readonly sla?: SlaJson;
  readonly meters?: MetersJson;
}

/** The figures that reports carry, and the reports themselves to download. */
export function reportsPage({ frame, period, sla, meters }: ReportsPage): string {
  const { words } = frame;
  const { reports: text } = words.messages;
  const tabs = html`<nav class="tabs" aria-label="${text.title}">${PERIODS.map(
    (each) =>
      html`<a href="/reports?period=${each}"${each === period && html` aria-current="true"`}>${each === 'this-month' ? text.thisMonth : text.lastMonth}</a>`,
  )}</nav>`;
  return pageHtml(
    { ...frame, current: 'reports', title: text.title },
    html`<div class="page-head"><h1>${text.title}</h1>${tabs}</div>
${card(text.sla, slaTables(sla, words), { id: 'sla', ...(sla ? { aside: downloads('sla', period, words) } : {}) })}
${card(text.meters, meterTables(meters, words), { id: 'meters', ...(meters ? { aside: downloads('meters', period, words) } : {}) })}`,
  );
}

function downloads(kind: 'sla' | 'meters', period: ReportPeriod, words: Words): Html {
  return html`<span class="downloads">${words.messages.reports.download} ${['pdf', 'html', 'csv', 'json'].map(
    (format) =>
      html` <a href="/reports/download?${String(new URLSearchParams({ report: kind, period, format }))}" download>${format.toUpperCase()}</a>`,
  )}</span>`;
}

function slaTables(sla: SlaJson | undefined, words: Words): Html {
  const { reports: text } = words.messages;
  if (!sla) return html`<p class="soft">${text.notYet}</p>`;
  if (sla.slas.length === 0) return html`<p class="soft">${text.noSla}</p>`;
  const ratio = (value: number | null) => (value === null ? '–' : percentText(value, words, 3));
  return html`${sla.slas.map(
    ({ sla: name, target_ratio: target, devices }) =>
      html`<h3>${name} <small>${text.target} ${percentText(target, words, 3)}</small></h3><div class="table"><table><thead><tr><th scope="col">${text.device}</th><th scope="col"></th><th scope="col" class="number">${text.available}</th><th scope="col" class="number">${text.raw}</th><th scope="col" class="number">${text.coverage}</th><th scope="col" class="number">${text.downtime}</th></tr></thead><tbody>${devices.map(
        (device) =>
          html`<tr><th scope="row"><a href="${devicePath(device.device)}">${device.device}</a></th><td>${metPill(device.met, words)}</td><td class="number">${ratio(device.availability_ratio)}</td><td class="number">${ratio(device.raw_availability_ratio)}</td><td class="number">${ratio(device.coverage_ratio)}</td><td class="number">${durationText(device.downtime_seconds * 1000, words)}</td></tr>`,
      )}</tbody></table></div>`,
  )}`;
}

function metPill(met: boolean | null, { messages: { reports } }: Words): Html {
  if (met === null) return statePill('unknown', reports.open);
  return met ? statePill('up', reports.met) : statePill('down', reports.missed);
}

function meterTables(meters: MetersJson | undefined, words: Words): Html {
  const { reports: text, device } = words.messages;
  if (!meters) return html`<p class="soft">${text.notYet}</p>`;
  if (meters.contracts.length === 0) return html`<p class="soft">${text.noMeters}</p>`;
  const pages = (value: number | string | null) => (value === null ? '–' : numberText(BigInt(value), words));
  return html`${meters.contracts.map(
    ({ contract, devices }) =>
      html`${contract && html`<h3>${text.contract(contract)}</h3>`}<div class="table"><table><thead><tr><th scope="col">${text.device}</th><th scope="col">${device.meter}</th><th scope="col" class="number">${text.opening}</th><th scope="col" class="number">${text.closing}</th><th scope="col" class="number">${text.used}</th><th scope="col">${text.kind}</th></tr></thead><tbody>${devices.flatMap(
        (printer) =>
          Object.entries(printer.meters).map(
            ([meter, line], index) =>
              html`<tr><th scope="row">${index === 0 && html`<a href="${devicePath(printer.device)}">${printer.device}</a>`}</th><td>${meter.replaceAll('_', ' ')}</td><td class="number">${pages(line.opening)}</td><td class="number">${pages(line.closing)}</td><td class="number"><b>${pages(line.used)}</b></td><td>${line.class ?? ''}</td></tr>`,
          ),
      )}</tbody></table></div>`,
  )}`;
}
