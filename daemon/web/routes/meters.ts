import { z } from 'zod';
import type { WallTime } from '#collectors/contract.ts';
import { SitewardError } from '#config/errors.ts';
import { parsePeriod } from '../../calendar.ts';
import { METERS } from '../../meters/read.ts';
import { meterReportJson } from '../../meters/report-json.ts';
import type { MeterService } from '../../meters/service.ts';
import { json, problem } from '../answer.ts';
import type { AddRoutes, Answer } from '../route.ts';

const PeriodQuery = z.object({ period: z.string().max(80).default('this-month') });
const text = z.string().trim().min(1).max(1000);
const pages = z.int().min(0).max(10_000_000_000);

const ReadingBody = z.strictObject({
  device: z.string().min(1).max(255),
  meter: z.enum(METERS),
  pages,
  at: z.iso.datetime({ offset: true }).optional(),
  author: text.optional(),
  reason: text,
  implausible: z.boolean().optional(),
});
const DecisionBody = z.strictObject({
  read: z.string().min(3).max(300),
  action: z.enum(['confirm', 'join', 'split', 'reject']),
  meter: z.enum(METERS).optional(),
  as: z.enum(['reset', 'board-swap', 'wrap']).optional(),
  start: pages.optional(),
  author: text.optional(),
  reason: text,
});

/** Print meters: the report, and what people enter. */
export const meterRoutes: AddRoutes = (router, { meters, clock }) => {
  if (!meters) return;
  router.add({
    method: 'get',
    path: '/api/v1/meters',
    access: 'viewer',
    summary: 'Opening, closing and used pages per printer and meter of a period.',
    query: PeriodQuery,
    handle: async ({ query }) => {
      const period = parsePeriod(query.period, clock.wallNow(), meters.timezone);
      if (!period)
        return problem(400, 'no such period', 'write 2026-10, this-month, last-month or FROM/TO in ISO 8601');
      return json(meterReportJson(await meters.report(period)));
    },
  });
  router.add({
    method: 'post',
    path: '/api/v1/meters/readings',
    access: 'operator',
    summary: 'A reading of the panel by a person.',
    body: ReadingBody,
    handle: async ({ body: { at, author, implausible, ...reading }, principal }) =>
      await entered(() =>
        meters.enter({
          ...reading,
          at: (at === undefined ? clock.wallNow() : Date.parse(at)) as WallTime,
          author: author ?? principal.name,
          ...(implausible !== undefined && { implausible }),
        }),
      ),
  });
  router.add({
    method: 'post',
    path: '/api/v1/meters/decisions',
    access: 'operator',
    summary: 'What became of a counter at a read: confirmed, joined, split or rejected.',
    body: DecisionBody,
    handle: async ({ body: { author, meter, as, start, ...decision }, principal }) =>
      await entered(() =>
        meters.decide({
          ...decision,
          author: author ?? principal.name,
          ...(meter !== undefined && { meter }),
          ...(as !== undefined && { as }),
          ...(start !== undefined && { start }),
        }),
      ),
  });
};

async function entered(work: () => ReturnType<MeterService['enter']>): Promise<Answer> {
  try {
    await work();
    return json({ ok: true }, 201);
  } catch (error) {
    if (error instanceof SitewardError && error.code.startsWith('METER_'))
      return problem(422, error.message, `${error.hint} (${error.code})`);
    throw error;
  }
}
