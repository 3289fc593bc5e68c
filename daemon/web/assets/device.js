// @ts-check
/** The live part of a device's page: charts that can be read off, and its state. */
import { listen, words } from './live.js';
import uPlot from './uplot.mjs';

const { locale, timezone } = words();
const HEIGHT = 150;

/** @param {number} digits */
const numberFormat = (digits) => new Intl.NumberFormat(locale, { maximumFractionDigits: digits });
const whole = numberFormat(0);
const fine = numberFormat(1);
const STEPS = ['', 'k', 'M', 'G', 'T'];

/** @param {number} value @param {string} unit */
function scaled(value, unit) {
  let step = 0;
  let rest = value;
  while (Math.abs(rest) >= 1000 && step < STEPS.length - 1) {
    rest /= 1000;
    step += 1;
  }
  return `${(Math.abs(rest) < 10 ? fine : whole).format(rest)} ${STEPS[step]}${unit}`;
}

/** @param {number} value @param {string | undefined} unit */
function valueText(value, unit) {
  switch (unit) {
    case 'ratio':
      return `${whole.format(value * 100)} %`;
    case 'bytes':
      return scaled(value, 'B');
    case 'bit_rate':
      return scaled(value * 8, 'bit/s');
    case 'seconds':
      if (value >= 60) return `${whole.format(value / 60)} min`;
      return value >= 1 ? `${fine.format(value)} s` : `${fine.format(value * 1000)} ms`;
    case 'celsius':
      return `${fine.format(value)} °C`;
    case 'watts':
      return `${fine.format(value)} W`;
    default:
      return fine.format(value);
  }
}

/** Times on the clock of the site, wherever the browser stands. */
const siteDate = (/** @type {number} */ seconds) => uPlot.tzDate(new Date(seconds * 1000), timezone);

/** @param {HTMLElement} figure */
async function draw(figure) {
  const { device = '', chart = '', range = '24h', unit, from, to } = figure.dataset;
  const query = new URLSearchParams({ chart, range });
  const response = await fetch(`/api/v1/devices/${encodeURIComponent(device)}/history?${query}`);
  if (!response.ok) return;
  const { times, lines } = await response.json();
  const plain = figure.querySelector('.plain');
  if (!plain || times.length === 0) return;
  const colours = lines.map((/** @type {unknown} */ _line, /** @type {number} */ index) => colourOf(figure, index));
  const line = getComputedStyle(document.documentElement).getPropertyValue('--line');
  const soft = getComputedStyle(document.documentElement).getPropertyValue('--soft');
  const axis = {
    stroke: soft,
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1 },
    font: '12px system-ui',
  };
  const holder = document.createElement('div');
  const options = {
    width: Math.max(200, figure.clientWidth),
    height: HEIGHT + 50,
    tzDate: siteDate,
    legend: { live: true },
    cursor: { points: { size: 6 } },
    scales: {
      x: { range: () => [Number(from), Number(to)] },
      y: {
        range: (/** @type {any} */ _plot, /** @type {number} */ low, /** @type {number} */ high) => [
          Math.min(0, low),
          unit === 'ratio' ? Math.max(1, high) : high > 0 ? high * 1.08 : 1,
        ],
      },
    },
    axes: [
      axis,
      {
        ...axis,
        size: 72,
        values: (/** @type {any} */ _plot, /** @type {number[]} */ values) =>
          values.map((value) => valueText(value, unit)),
      },
    ],
    series: [
      {
        value: (/** @type {any} */ _plot, /** @type {number | null} */ at) =>
          at === null
            ? ''
            : new Date(at * 1000).toLocaleString(locale, {
                timeZone: timezone,
                dateStyle: 'short',
                timeStyle: 'short',
              }),
        label: '',
      },
      ...lines.map((/** @type {{ name: string }} */ { name }, /** @type {number} */ index) => ({
        label: name || figure.querySelector('figcaption')?.textContent || '',
        stroke: colours[index],
        fill: lines.length === 1 ? `color-mix(in srgb, ${colours[index]} 12%, transparent)` : undefined,
        width: 1.6,
        points: { show: times.length < 3 },
        value: (/** @type {any} */ _plot, /** @type {number | null} */ value) =>
          value === null ? '' : valueText(value, unit),
      })),
    ],
  };
  const plot = new uPlot(
    /** @type {any} */ (options),
    [times, ...lines.map((/** @type {{ mean: number[] }} */ { mean }) => mean)],
    holder,
  );
  plain.replaceWith(holder);
  figure.querySelector('.keys')?.remove();
  new ResizeObserver(() => plot.setSize({ width: Math.max(200, figure.clientWidth), height: HEIGHT + 50 })).observe(
    figure,
  );
}

/** The colours are in the style sheet, for light and dark. @param {HTMLElement} figure @param {number} index */
function colourOf(figure, index) {
  const probe = document.createElement('i');
  probe.className = `line-${index % 8}`;
  figure.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Only charts that come into view are drawn. */
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting || !(target instanceof HTMLElement)) continue;
    seen.unobserve(target);
    void draw(target);
  }
});
for (const figure of document.querySelectorAll('figure[data-chart]')) seen.observe(figure);

listen(
  (/** @type {{ changed: [string, string, string][] }} */ site) => {
    for (const [name, tone, state] of site.changed) {
      const pill = document.querySelector(`.page-head [data-device="${CSS.escape(name)}"] .pill`);
      if (!pill) continue;
      pill.className = `pill state-${tone}`;
      pill.textContent = state;
    }
  },
  () => {},
);
