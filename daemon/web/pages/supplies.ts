import type { Reading } from '#collectors/contract.ts';
import { numberText, percentText, type Words } from '../format.ts';
import { type Html, html } from '../html.ts';
import { bySoonest, inkOf, type SupplyRow, suppliesOf, supplyTone } from '../supplies.ts';
import { card, devicePath, type Frame, pageHtml, statePill } from './layout.ts';

interface PrinterSupply extends SupplyRow {
  readonly device: string;
}

/** What to order, and below it everything else that is used up some day. */
export function suppliesPage(
  frame: Omit<Frame, 'title' | 'current'>,
  printers: readonly { readonly device: string; readonly readings: readonly Reading[] }[],
): string {
  const { words } = frame;
  const { supplies: text } = words.messages;
  const all = printers
    .flatMap(({ device, readings }) => suppliesOf(readings).map((row): PrinterSupply => ({ ...row, device })))
    .toSorted(bySoonest);
  const order = all.filter((row) => supplyTone(row) !== '');
  const rest = all.filter((row) => supplyTone(row) === '');
  return pageHtml(
    { ...frame, current: 'supplies', title: text.title },
    html`<div class="page-head"><h1>${text.title}</h1><p>${text.intro}</p></div>
<section class="card">${order.length === 0 ? html`<p class="soft">${text.none}</p>` : table(order, words)}</section>
${rest.length > 0 && card(text.others, table(rest, words))}`,
  );
}

function table(rows: readonly PrinterSupply[], words: Words): Html {
  const { supplies: text, device } = words.messages;
  return html`<div class="table"><table><thead><tr><th scope="col">${text.printer}</th><th scope="col">${text.supply}</th><th scope="col"></th><th scope="col" class="number">${text.level}</th><th scope="col" class="number">${text.days}</th></tr></thead><tbody>${rows.map(
    (row) => {
      const tone = supplyTone(row);
      return html`<tr><th scope="row"><a href="${devicePath(row.device)}">${row.device}</a></th><td>${row.description || row.supply}</td><td class="level"><div class="bars"><div class="${inkOf(row)} ${tone}">${
        row.level !== undefined &&
        html`<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="${Math.round(row.level * 100)}" height="8"/></svg>`
      }</div></div></td><td class="number">${tone !== '' && statePill(tone === 'empty' ? 'down' : 'warn', tone === 'empty' ? text.empty : text.low)} ${row.level === undefined ? device.notKnown : percentText(row.level, words)}</td><td class="number">${row.daysLeft !== undefined && numberText(row.daysLeft, words)}</td></tr>`;
    },
  )}</tbody></table></div>`;
}
