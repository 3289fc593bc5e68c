import { z } from 'zod';
import { json, notFound } from '../answer.ts';
import { deviceJson, jsonNumber } from '../json.ts';
import { PAGING, paged } from '../paging.ts';
import type { AddRoutes } from '../route.ts';

const text = z.string().nullable();
const Device = z.object({
  name: z.string(),
  address: z.string(),
  class: z.string(),
  vendor: text,
  model: text,
  serial: text,
  version: text,
  state: z.enum(['up', 'down', 'unreachable', 'maintenance', 'unknown']),
  since: z.iso.datetime({ offset: true }),
});
const DeviceInFull = Device.extend({
  sys_name: text,
  profile: text,
  problems: z.array(z.object({ code: z.string(), message: z.string(), hint: z.string() })),
  readings: z.array(
    z.object({
      metric: z.string(),
      labels: z.record(z.string(), z.string()),
      value: z.union([z.number(), z.string()]).describe('A counter past 2^53 comes as text.'),
    }),
  ),
});

const Query = z.object({
  state: z.string().max(20).optional().describe('Only devices in this state.'),
  class: z.string().max(20).optional().describe('Only devices of this class.'),
  ...PAGING,
});

export const deviceRoutes: AddRoutes = (router, { view }) => {
  router.add({
    method: 'get',
    path: '/api/v1/devices',
    access: 'viewer',
    summary: 'The inventory with the state of each device.',
    query: Query,
    answer: z.array(Device),
    handle: ({ query, path }) => {
      const found = view
        .devices()
        .filter(({ state }) => query.state === undefined || state === query.state)
        .filter((device) => query.class === undefined || device.class === query.class);
      const { items, headers } = paged(found, query, path);
      return json(
        items.map((device) => deviceJson(device, view.site.timezone)),
        200,
        headers,
      );
    },
  });
  router.add({
    method: 'get',
    path: '/api/v1/devices/:name',
    access: 'viewer',
    summary: 'One device with its problems and the last value of each of its series.',
    answer: DeviceInFull,
    handle: ({ params: { name = '' } }) => {
      const device = view.device(name);
      if (!device)
        return notFound('device', `there is no device ${JSON.stringify(name)} (GET /api/v1/devices lists them)`);
      return json({
        ...deviceJson(device, view.site.timezone),
        sys_name: device.identity?.sysName ?? null,
        profile: device.identity?.profile ?? null,
        problems: device.problems,
        readings: view
          .readings(name)
          .map(({ metric, labels, value }) => ({ metric, labels, value: jsonNumber(value) })),
      });
    },
  });
};
