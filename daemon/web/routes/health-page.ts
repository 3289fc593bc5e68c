import { page } from '../answer.ts';
import { healthPage } from '../pages/health.ts';
import type { AddRoutes } from '../route.ts';
import { frameOf } from './frame.ts';

const AUDIT_SHOWN = 50;

export const healthPageRoutes: AddRoutes = (router, context) => {
  const { view, clock, history, sources, audit } = context;
  router.add({
    method: 'get',
    path: '/health',
    access: 'viewer',
    handle: async (request) => {
      const size = await history?.size();
      return page(
        healthPage({
          frame: frameOf(request, context),
          now: clock.wallNow(),
          notReady: view.notReady(),
          devices: view.devices().length,
          memoryBytes: process.memoryUsage.rss(),
          ...(size ? { history: size } : {}),
          outputs: sources?.outputs?.() ?? [],
          audit: await audit.latest(AUDIT_SHOWN),
        }),
      );
    },
  });
};
