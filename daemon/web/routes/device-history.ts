import { z } from 'zod';
import type { WallTime } from '#collectors/contract.ts';
import { json, notFound } from '../answer.ts';
import { chartData, chartsOf, RANGE_LENGTHS, RANGES } from '../charts.ts';
import { busiest, interfacesOf } from '../interfaces.ts';
import type { AddRoutes } from '../route.ts';

/** Labels of two hundred characters, with room for what stands before them. */
const LONGEST_CHART = 300;

const Query = z.object({
  range: z.enum(RANGES).default('24h').describe('How far back from now.'),
  chart: z
    .string()
    .max(LONGEST_CHART)
    .describe('`cpu`, `memory`, `rtt`, `traffic:INTERFACE`, …: 404 lists those that the device has.'),
});

const values = z
  .array(z.number().nullable())
  .describe('In the base unit, of counters the rate; null where nothing is known.');
const HistoryAnswer = z.object({
  device: z.string(),
  chart: z.string(),
  unit: z.string(),
  times: z.array(z.int()).describe('Seconds since 1970, shared by all lines.'),
  lines: z.array(z.object({ name: z.string(), mean: values, min: values, max: values })),
});

export const deviceHistoryRoutes: AddRoutes = (router, { view, history, clock, snapshots }) => {
  if (!history) return;
  router.add({
    method: 'get',
    path: '/api/v1/devices/:name/history',
    access: 'viewer',
    summary: "One chart of a device, from the appliance's own memory.",
    query: Query,
    answer: HistoryAnswer,
    handle: async ({ params: { name = '' }, query: { range, chart: id }, language }) => {
      if (!view.device(name)) return notFound('device', 'GET /api/v1/devices lists them');
      const wanted = /^traffic:(.*)$/s.exec(id)?.[1];
      const interfaces = wanted === undefined ? busiest(interfacesOf(view.readings(name))) : [wanted];
      const charts = chartsOf(history.names(name), interfaces, snapshots.words(language));
      const chart = charts.find((each) => each.id === id);
      if (!chart) return notFound('chart', `this device has ${charts.map((each) => each.id).join(', ') || 'none yet'}`);
      const to = clock.wallNow();
      const data = await chartData(history, name, chart, (to - RANGE_LENGTHS[range]) as WallTime, to);
      return json({ device: name, chart: id, unit: chart.unit, ...data });
    },
  });
};
