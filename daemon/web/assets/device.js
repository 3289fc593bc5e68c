/** The live part of a device's page: charts that can be read off, and its state. */
import { listen, words } from './live.js';
import uPlot from './uplot.mjs';

/**
 * What `GET /api/v1/devices/:name/history` answers.
 * @typedef {{ name: string, mean: (number | null)[], min: (number | null)[], max: (number | null)[] }} Line
 * @typedef {{ times: number[], lines: Line[] }} ChartData
 */

const { locale = 'en', timezone = 'UTC' } = words();
const HEIGHT = 200;
const NARROWEST = 200;
const UNIT_STEPS = ['', 'k', 'M', 'G', 'T'];

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
/** Times on the clock of the site, wherever the browser stands. @param {Intl.DateTimeFormatOptions} options */
const timeFormat = (options) => new Intl.DateTimeFormat(locale, { ...options, timeZone: timezone, hourCycle: 'h23' });
const clockTime = timeFormat({ hour: '2-digit', minute: '2-digit' });
const calendarDay = timeFormat({ day: 'numeric', month: 'short' });
const calendarMonth = timeFormat({ month: 'short', year: 'numeric' });
const moment = timeFormat({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

/** @param {number} value @param {string} unit @returns {string} `1.5 GB` */
function scaled(value, unit) {
  let step = 0;
  let rest = value;
  while (Math.abs(rest) >= 1000 && step < UNIT_STEPS.length - 1) {
    rest /= 1000;
    step += 1;
  }
  return `${(Math.abs(rest) < 10 ? fine : whole).format(rest)} ${UNIT_STEPS[step]}${unit}`;
}

/** @param {number} value @param {string | undefined} unit as `charts.ts` of the server has them @returns {string} */
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

/** @param {number} time seconds since 1970 @param {number} step seconds between two marks @returns {string} */
function timeLabel(time, step) {
  const at = time * 1000;
  if (step >= 28 * 86_400) return calendarMonth.format(at);
  if (step >= 86_400) return calendarDay.format(at);
  const text = clockTime.format(at);
  return text === '00:00' ? calendarDay.format(at) : text;
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

/**
 * What uPlot is told of one line.
 * @param {HTMLElement} figure
 * @param {Line} line
 * @param {number} index
 * @param {ChartData} data
 * @returns {uPlot.Series}
 */
function seriesOf(figure, { name }, index, { times, lines }) {
  const colour = colourOf(figure, index);
  return {
    label: (name || figure.querySelector('figcaption')?.textContent) ?? '',
    stroke: colour,
    width: 1.6,
    points: { show: times.length < 3 },
    ...(lines.length === 1 ? { fill: colour.replace('rgb(', 'rgba(').replace(')', ', 0.12)') } : {}),
    value: (_plot, value) => (value === null ? '' : valueText(value, figure.dataset.unit)),
  };
}

/** @param {HTMLElement} figure @param {ChartData} data @returns {uPlot.Options} */
function optionsOf(figure, data) {
  const { unit, from, to } = figure.dataset;
  const style = getComputedStyle(document.documentElement);
  const grid = { stroke: style.getPropertyValue('--line'), width: 1 };
  /** @type {uPlot.Axis} */
  const axis = { stroke: style.getPropertyValue('--soft'), grid, ticks: grid, font: '12px system-ui' };
  /** @param {number} high */
  const highest = (high) => (unit === 'ratio' ? Math.max(1, high) : high > 0 ? high * 1.08 : 1);
  return {
    width: Math.max(NARROWEST, figure.clientWidth),
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), timezone),
    scales: {
      x: { range: () => [Number(from), Number(to)] },
      y: { range: (_plot, low, high) => [Math.min(0, low), highest(high)] },
    },
    axes: [
      { ...axis, values: (_plot, times, _axis, _space, step) => times.map((time) => timeLabel(time, step)) },
      { ...axis, size: 72, values: (_plot, values) => values.map((value) => valueText(value, unit)) },
    ],
    series: [
      { label: '', value: (_plot, at) => (at === null ? '' : moment.format(at * 1000)) },
      ...data.lines.map((line, index) => seriesOf(figure, line, index, data)),
    ],
  };
}

/** Puts a chart that can be read off in place of the plain one. @param {HTMLElement} figure */
async function draw(figure) {
  const response = await fetch(figure.dataset.source ?? '');
  if (!response.ok) return;
  const data = /** @type {ChartData} */ (await response.json());
  if (data.times.length === 0) return;
  const holder = document.createElement('div');
  const plot = new uPlot(optionsOf(figure, data), [data.times, ...data.lines.map(({ mean }) => mean)], holder);
  figure.querySelector('.plain')?.replaceWith(holder);
  figure.querySelector('.keys')?.remove();
  new ResizeObserver(() => plot.setSize({ width: Math.max(NARROWEST, figure.clientWidth), height: HEIGHT })).observe(
    figure,
  );
}

/** Only charts that come into view are drawn. */
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    void draw(/** @type {HTMLElement} */ (target));
  }
});
for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('figure[data-chart]')))
  seen.observe(figure);

listen(
  ({ changed }) => {
    for (const [name, tone, state] of changed) {
      const pill = document.querySelector(`.page-head [data-device="${CSS.escape(name)}"] .pill`);
      if (!pill) continue;
      pill.className = `pill state-${tone}`;
      pill.textContent = state;
    }
  },
  () => {},
);
