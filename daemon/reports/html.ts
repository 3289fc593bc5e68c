import { Html, html } from '../web/html.ts';
import {
  type Cell,
  type Column,
  cellText,
  cellTone,
  type Fact,
  forPeople,
  isAcross,
  type ReportDocument,
  type Table,
} from './document.ts';

/** Everything in one file: it goes by mail and is printed from a folder, where nothing else can be fetched. */
const STYLE = `
:root{color-scheme:light}
body{font:10.5pt/1.45 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;color:#1b1f24;background:#fff;margin:2rem auto;max-width:80rem;padding:0 1.5rem}
header{border-bottom:2px solid #1b1f24;margin-bottom:1.2rem}
h1{font-size:1.7em;margin:0}
header p{margin:.2rem 0 .8rem;color:#4a525c}
h2{font-size:1.2em;margin:2rem 0 .5rem;break-after:avoid}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.2rem;margin:.5rem 0 1rem}
dt{color:#4a525c}
dd{margin:0}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:.4rem 0 1.2rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.3rem 0;break-after:avoid}
th,td{text-align:left;vertical-align:top;padding:.28rem .6rem;border-bottom:1px solid #d6dade}
th{border-bottom:1.5px solid #1b1f24;font-weight:600}
tbody tr:nth-child(even){background:#f5f6f8}
.right{text-align:right;white-space:nowrap}
.whole{white-space:nowrap}
.bad{color:#a40e26;font-weight:600}
.weak{color:#66707b}
.notes{color:#4a525c;padding-left:1.2rem}
/* A cause or a reason reads as a sentence, not as a pile of words. */
td:not(.right,.whole){min-width:5.5em}
@media screen and (max-width:40rem){
body{margin:1rem auto;padding:0 1rem}
dl{grid-template-columns:1fr}
dd{margin-bottom:.35rem}
td:last-child:not(.right,.whole){min-width:14em}
}
@media print{
body{margin:0;max-width:none;padding:0;font-size:9pt}
.wide{overflow:visible}
thead{display:table-header-group}
tr,.short{break-inside:avoid}
tbody tr:first-child{break-before:avoid}
tbody tr:nth-child(even){background:#f5f6f8;print-color-adjust:exact}
}
`;

/** A table of no more rows than these is not broken over two pages. */
const MOST_TOGETHER = 10;

/** A report as one HTML file that needs no other, for browsers, mail and paper. */
export function renderHtml(document: ReportDocument): string {
  const { title, subtitle, facts = [], sections, notes = [] } = document;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title} · ${subtitle}</title><style>${new Html(`${STYLE}@page{size:A4${isAcross(document) ? ' landscape' : ''};margin:15mm}`)}</style></head>
<body><header><h1>${title}</h1><p>${subtitle}</p></header>
<main>${factList(facts)}
${sections.map(
  (section) => html`<section><h2>${section.heading}</h2>
${factList(section.facts ?? [])}${(section.tables ?? []).map(tableHtml)}${noteList(section.notes ?? [])}</section>
`,
)}</main>
<footer>${noteList(notes)}</footer></body></html>
`.text;
}

function factList(facts: readonly Fact[]): Html | undefined {
  if (facts.length === 0) return undefined;
  return html`<dl>${facts.map(({ name, value }) => html`<dt>${name}</dt><dd${classes(value)}>${cellText(value)}</dd>`)}</dl>`;
}

function tableHtml(table: Table): Html {
  const { caption, columns, rows, empty } = forPeople(table);
  if (rows.length === 0) return html`<p>${caption && html`<strong>${caption}</strong> `}${empty ?? 'none'}</p>`;
  return html`<div class="${rows.length <= MOST_TOGETHER ? 'wide short' : 'wide'}"><table>${caption && html`<caption>${caption}</caption>`}<thead><tr>${columns.map(
    (column) => html`<th scope="col"${classes('', column)}>${column.title}</th>`,
  )}</tr></thead>
<tbody>${rows.map(
    (row) => html`<tr>${columns.map((column, index) => {
      const cell = row[index] ?? '';
      return html`<td${classes(cell, column)}>${cellText(cell)}</td>`;
    })}</tr>
`,
  )}</tbody></table></div>
`;
}

function noteList(notes: readonly string[]): Html | undefined {
  return notes.length === 0 ? undefined : html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>`;
}

function classes(cell: Cell, column?: Column): Html | undefined {
  const names = [column?.align === 'right' && 'right', column?.wrap === false && 'whole', cellTone(cell)]
    .filter(Boolean)
    .join(' ');
  return names === '' ? undefined : html` class="${names}"`;
}
