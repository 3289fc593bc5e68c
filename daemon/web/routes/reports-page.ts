import { z } from 'zod';
import { download, page, problem } from '../answer.ts';
import type { MetersJson, SlaJson } from '../page-sources.ts';
import { PERIODS, reportsPage } from '../pages/reports.ts';
import type { AddRoutes } from '../route.ts';
import { frameOf } from './frame.ts';

const MEDIA = {
  json: 'application/json',
  csv: 'text/csv; charset=utf-8',
  html: 'text/html; charset=utf-8',
  pdf: 'application/pdf',
} as const;

const Download = z.object({
  report: z.enum(['sla', 'meters']),
  period: z.string().max(80).describe('2026-10, this-month, last-month or FROM/TO in ISO 8601.'),
  format: z.enum(['json', 'csv', 'html', 'pdf']).default('pdf'),
});

export const reportsPageRoutes: AddRoutes = (router, context) => {
  const { sources } = context;
  router.add({
    method: 'get',
    path: '/reports',
    access: 'viewer',
    query: z.object({ period: z.enum(PERIODS).catch('this-month').default('this-month') }),
    handle: async (request) => {
      const { period } = request.query;
      const [sla, meters] = await Promise.all([sources?.report?.('sla', period), sources?.report?.('meters', period)]);
      return page(
        reportsPage({
          frame: frameOf(request, context),
          period,
          ...(sla ? { sla: sla.json as SlaJson } : {}),
          ...(meters ? { meters: meters.json as MetersJson } : {}),
        }),
      );
    },
  });
  router.add({
    method: 'get',
    path: '/reports/download',
    access: 'viewer',
    query: Download,
    handle: async ({ query: { report, period, format } }) => {
      const document = await sources?.report?.(report, period);
      if (!document)
        return problem(404, 'no such report', `${JSON.stringify(period)} is no period of a report ${report}`);
      const { renderReport } = await import('../../reports/render.ts');
      const name = `${report}-${period.replace(/[^\w-]+/g, '_')}.${format}`;
      return download(await renderReport(document, format), MEDIA[format], name);
    },
  });
};
