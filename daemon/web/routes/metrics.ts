import { z } from 'zod';
import type { RenderFilter } from '../../sinks/prometheus.ts';
import { sendMetrics } from '../metrics-route.ts';
import type { AddRoutes } from '../route.ts';

const oneOrMore = z.union([z.string(), z.array(z.string())]).optional();
const Query = z.object({ device: oneOrMore, class: oneOrMore });

export const metricsRoutes: AddRoutes = (router, { self, devices }) => {
  router.add({
    method: 'get',
    path: '/metrics',
    access: 'metrics',
    summary: 'All series as Prometheus text, or OpenMetrics where it is asked for.',
    query: Query,
    media: ['text/plain', 'application/openmetrics-text'],
    handle: (request) => ({
      kind: 'stream',
      write: async (response) => {
        await sendMetrics(
          response,
          { accept: request.header('accept'), gzip: request.acceptsGzip(), filter: filterOf(request.query) },
          self,
          devices,
        );
      },
    }),
  });
};

function filterOf(query: z.output<typeof Query>): RenderFilter {
  const devices = setOf(query.device);
  const classes = setOf(query.class);
  return { ...(devices ? { devices } : {}), ...(classes ? { classes } : {}) };
}

function setOf(value: string | readonly string[] | undefined): ReadonlySet<string> | undefined {
  if (value === undefined) return undefined;
  return new Set(typeof value === 'string' ? [value] : value);
}
