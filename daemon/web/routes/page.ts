import { z } from 'zod';
import type { WallTime } from '#collectors/contract.ts';
import { mayCall } from '../access/guard.ts';
import { page, problem } from '../answer.ts';
import { chartData, chartsOf, RANGE_LENGTHS, RANGES } from '../charts.ts';
import { busiest, interfacesOf } from '../interfaces.ts';
import { devicePage } from '../pages/device.ts';
import { overviewPage } from '../pages/overview.ts';
import { suppliesPage } from '../pages/supplies.ts';
import type { AddRoutes } from '../route.ts';
import { frameOf } from './frame.ts';

/** Of what discovery saw of a device. */
const MOST_SEEN = 30;

/** The overview, each device, and what is to be ordered. */
export const pageRoutes: AddRoutes = (router, context) => {
  const { view, clock, snapshots, history, watched, inventory } = context;
  router.add({
    method: 'get',
    path: '/',
    access: 'viewer',
    query: z.object({ q: z.string().max(200).catch('').default(''), page: z.coerce.number().int().min(1).catch(1) }),
    handle: async (request) =>
      page(
        overviewPage({
          frame: frameOf(request, context),
          snapshot: snapshots.now(request.language),
          timelines: await snapshots.timelines(),
          query: request.query.q,
          page: request.query.page,
        }),
      ),
  });
  router.add({
    method: 'get',
    path: '/devices/:name',
    access: 'viewer',
    query: z.object({
      range: z.enum(RANGES).catch('24h').default('24h'),
      interface: z.string().max(200).optional().catch(undefined),
    }),
    handle: async (request) => {
      const { name = '' } = request.params;
      const { range, interface: wanted } = request.query;
      const words = snapshots.words(request.language);
      const device = snapshots.device(name, words);
      if (!device) return problem(404, 'no such device', words.messages.device.unknownDevice(name));
      const readings = view.readings(name);
      const now = clock.wallNow();
      const shown = wanted === undefined ? busiest(interfacesOf(readings)) : [wanted];
      const charts = history ? chartsOf(history.names(name), shown, words) : [];
      const from = (now - RANGE_LENGTHS[range]) as WallTime;
      const parent = watched?.(name)?.parent;
      return page(
        devicePage({
          frame: frameOf(request, context),
          device,
          now,
          ...(parent === undefined ? {} : { parent }),
          readings,
          pieces: (await snapshots.timelines()).get(name) ?? [],
          seen: (await inventory?.latest(Number.MAX_SAFE_INTEGER, MOST_SEEN, name)) ?? [],
          charts: history
            ? await Promise.all(
                charts.map(async (chart) => ({ name: chart, data: await chartData(history, name, chart, from, now) })),
              )
            : [],
          range,
          mayDiagnose: context.diagnose !== undefined && mayCall(request.principal.role, 'operator'),
        }),
      );
    },
  });
  router.add({
    method: 'get',
    path: '/supplies',
    access: 'viewer',
    handle: (request) => {
      const printers = view.devices().filter((device) => device.class === 'printer');
      const rows = printers.map(({ name }) => ({ device: name, readings: view.readings(name) }));
      return page(suppliesPage(frameOf(request, context), rows));
    },
  });
};
