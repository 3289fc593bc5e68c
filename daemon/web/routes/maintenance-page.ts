import { z } from 'zod';
import { mayCall } from '../access/guard.ts';
import { page, seeOther } from '../answer.ts';
import { end, enter, lasting, shownWindows } from '../maintenance-entries.ts';
import { maintenancePage } from '../pages/maintenance.ts';
import type { AddRoutes } from '../route.ts';
import { frameOf } from './frame.ts';

const Window = z.object({
  devices: z.string().min(1).max(2000).describe('Names or patterns, parted by commas or spaces.'),
  minutes: z.coerce.number().int().min(1).max(43_200),
  reason: z.string().min(1).max(1000),
});

export const maintenancePageRoutes: AddRoutes = (router, context) => {
  const { view, clock, sources } = context;
  router.add({
    method: 'get',
    path: '/maintenance',
    access: 'viewer',
    query: z.object({ done: z.enum(['entered', 'ended']).optional().catch(undefined) }),
    handle: (request) =>
      page(
        maintenancePage({
          frame: frameOf(request, context),
          windows: shownWindows(context),
          now: clock.wallNow(),
          devices: view.devices().map(({ name }) => name),
          mayEnter: sources?.enterWindow !== undefined && mayCall(request.principal.role, 'operator'),
          done: request.query.done,
        }),
      ),
  });
  router.add({
    method: 'post',
    path: '/maintenance',
    access: 'operator',
    body: Window,
    handle: async ({ body: { devices, minutes, reason }, principal }) => {
      const patterns = devices.split(/[\s,]+/).filter((pattern) => pattern !== '');
      const span = lasting(clock.wallNow(), minutes * 60);
      const entered = await enter({ devices: patterns, ...span, reason, by: principal.name }, context);
      return typeof entered === 'string' ? seeOther('/maintenance?done=entered') : entered;
    },
  });
  router.add({
    method: 'post',
    path: '/maintenance/:id/end',
    access: 'operator',
    body: z.object({ reason: z.string().trim().min(1).max(1000) }),
    handle: async ({ params: { id = '' }, body: { reason }, principal }) =>
      (await end(id, principal.name, reason, context)) ?? seeOther('/maintenance?done=ended'),
  });
};
