import type { OutputStatus } from '../../exposition/self.ts';
import type { AuditEntry } from '../access/audit.ts';
import { bytesText, durationText, numberText, timeText } from '../format.ts';
import { html } from '../html.ts';
import { card, type Frame, facts, pageHtml, statePill } from './layout.ts';

export interface HealthPage {
  readonly frame: Omit<Frame, 'title' | 'current'>;
  readonly now: number;
  readonly notReady: readonly string[];
  readonly devices: number;
  readonly memoryBytes: number;
  readonly history?: { readonly bytes: number; readonly series: number; readonly full: boolean };
  readonly outputs: readonly OutputStatus[];
  readonly audit: readonly AuditEntry[];
}

/** How siteward itself is: what it costs, what waits, and who changed what. */
export function healthPage({
  frame,
  now,
  notReady,
  devices,
  memoryBytes,
  history,
  outputs,
  audit,
}: HealthPage): string {
  const { words, view } = frame;
  const { health: text } = words.messages;
  return pageHtml(
    { ...frame, current: 'health', title: text.title },
    html`<div class="page-head"><h1>${text.title}</h1></div>
<section class="card">${facts([
      [text.ready, notReady.length === 0 ? statePill('up', text.yes) : statePill('warn', notReady.join('; '))],
      [text.version, view.version],
      [text.running, durationText(now - view.startedAt, words)],
      [text.devices, numberText(devices, words)],
      [text.memory, bytesText(memoryBytes, words)],
      [
        text.historySize,
        history &&
          `${bytesText(history.bytes, words)} · ${text.series(numberText(history.series, words))}${history.full ? ` · ${text.historyFull}` : ''}`,
      ],
    ])}</section>
${card(
  text.outputs,
  outputs.length === 0
    ? html`<p class="soft">${text.noOutputs}</p>`
    : html`<div class="table"><table><thead><tr><th scope="col">${text.outputs}</th><th scope="col" class="number">${text.waiting}</th><th scope="col"></th></tr></thead><tbody>${outputs.map(
        ({ output, points, bytes, outcomes }) =>
          html`<tr><th scope="row">${output}</th><td class="number">${numberText(points, words)} · ${bytesText(bytes, words)}</td><td>${Object.entries(
            outcomes,
          )
            .map(([outcome, count]) => `${outcome} ${numberText(count, words)}`)
            .join(' · ')}</td></tr>`,
      )}</tbody></table></div>`,
)}
${card(
  text.audit,
  audit.length === 0
    ? html`<p class="soft">${text.noAudit}</p>`
    : html`<div class="table"><table><thead><tr><th scope="col">${text.when}</th><th scope="col">${text.who}</th><th scope="col">${text.what}</th><th scope="col">${text.why}</th><th scope="col">${text.outcome}</th></tr></thead><tbody>${audit.map(
        ({ at, who, source, what, why, outcome }) =>
          html`<tr><td class="nowrap">${timeText(at, words)}</td><td>${who} <small>${source}</small></td><td>${what}</td><td>${why}</td><td>${outcome < 400 ? text.done : text.refused(outcome)}</td></tr>`,
      )}</tbody></table></div>`,
)}
<p class="soft">${text.metrics} <a href="/metrics">/metrics</a> · <a href="/api/openapi.json">/api/openapi.json</a></p>`,
  );
}
