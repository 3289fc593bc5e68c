/** A chart as plain SVG, for the first paint and for browsers without scripts. Pure. */
import { type ChartData, type ChartName, valueText } from './charts.ts';
import type { Words } from './format.ts';
import { type Html, html } from './html.ts';

const WIDTH = 400;
const HEIGHT = 100;

export function plainChart(chart: ChartName, data: ChartData, span: { from: number; to: number }, words: Words): Html {
  const { charts } = words.messages;
  const known = data.lines.flatMap(({ min, max }) => [...min, ...max]).filter((value) => value !== null);
  if (known.length === 0) return html`<p class="soft plain">${charts.none}</p>`;
  const high = known.reduce((a, b) => Math.max(a, b));
  const low = known.reduce((a, b) => Math.min(a, b));
  const last = data.lines[0]?.mean.findLast((value) => value !== null) ?? 0;
  const text = (value: number) => valueText(value, chart.unit, words);
  const scale = {
    x: (time: number) => (((time * 1000 - span.from) / (span.to - span.from)) * WIDTH).toFixed(1),
    y: (value: number) => (HEIGHT - 3 - (value / (ceiling(high, chart.unit) || 1)) * (HEIGHT - 6)).toFixed(1),
  };
  return html`<svg class="plain" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${charts.summary(chart.title, text(low), text(high), text(last))}"><line x1="0" x2="${WIDTH}" y1="${HEIGHT - 1}" y2="${HEIGHT - 1}"/><line x1="0" x2="${WIDTH}" y1="${HEIGHT / 2}" y2="${HEIGHT / 2}"/>${data.lines.map(
    ({ mean }, index) => html`<path class="line-${index % 8}" d="${path(data.times, mean, scale)}"/>`,
  )}</svg>`;
}

/** Percentages are seen against all of it. */
function ceiling(high: number, unit: ChartName['unit']): number {
  return unit === 'ratio' ? Math.max(1, high) : high;
}

function path(
  times: readonly number[],
  values: readonly (number | null)[],
  { x, y }: { x: (time: number) => string; y: (value: number) => string },
): string {
  let text = '';
  let drawing = false;
  for (const [index, value] of values.entries()) {
    const time = times[index];
    if (value === null || time === undefined) {
      drawing = false;
      continue;
    }
    // A point alone has no line: a stroke of no length shows it.
    text += drawing ? `L${x(time)} ${y(value)}` : `M${x(time)} ${y(value)}h0`;
    drawing = true;
  }
  return text;
}
