import { json, notFound } from '../answer.ts';
import { deviceJson, jsonNumber } from '../json.ts';
import type { AddRoutes } from '../route.ts';

export const deviceRoutes: AddRoutes = (router, { view }) => {
  router.add({
    method: 'get',
    path: '/api/v1/devices',
    access: 'viewer',
    summary: 'The inventory with the state of each device.',
    handle: () => json(view.devices().map((device) => deviceJson(device, view.site.timezone))),
  });
  router.add({
    method: 'get',
    path: '/api/v1/devices/:name',
    access: 'viewer',
    summary: 'One device with its problems and the last value of each of its series.',
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
