import { z } from 'zod';
import type { WallTime } from '#collectors/contract.ts';
import { SitewardError } from '#config/errors.ts';
import { matchesDevice } from '../../availability/maintenance.ts';
import { mayCall } from '../access/guard.ts';
import { page, problem, seeOther } from '../answer.ts';
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
    query: z.object({ entered: z.string().max(10).optional() }),
    handle: (request) => {
      const now = clock.wallNow();
      return page(
        maintenancePage({
          frame: frameOf(request, context),
          windows: sources?.windows?.(now) ?? [],
          now,
          devices: view.devices().map(({ name }) => name),
          mayEnter: sources?.enterWindow !== undefined && mayCall(request.principal.role, 'operator'),
          entered: request.query.entered !== undefined,
        }),
      );
    },
  });
  router.add({
    method: 'post',
    path: '/maintenance',
    access: 'operator',
    body: Window,
    handle: async ({ body: { devices, minutes, reason }, principal }) => {
      if (!sources?.enterWindow) return problem(404, 'no maintenance', 'windows are entered in the config');
      const patterns = devices.split(/[\s,]+/).filter((pattern) => pattern !== '');
      const stray = patterns.find((pattern) => !view.devices().some(({ name }) => matchesDevice([pattern], name)));
      if (patterns.length === 0 || stray !== undefined)
        return problem(422, 'no such device', `${JSON.stringify(stray ?? '')} is no device and no pattern of one`);
      const from = clock.wallNow();
      try {
        const to = (from + minutes * 60_000) as WallTime;
        await sources.enterWindow({ devices: patterns, from, to, reason, by: principal.name });
      } catch (error) {
        if (!(error instanceof SitewardError)) throw error;
        return problem(422, error.message, error.hint);
      }
      return seeOther('/maintenance?entered=yes');
    },
  });
};
