import { z } from 'zod';
import type { WallTime } from '#collectors/contract.ts';
import { json } from '../answer.ts';
import { isoTime } from '../json.ts';
import { end, enter, LONGEST_SECONDS, lasting, SHORTEST_SECONDS, shownWindows } from '../maintenance-entries.ts';
import type { WindowView } from '../page-sources.ts';
import type { AddRoutes } from '../route.ts';

const reason = z.string().trim().min(1).max(1000);
const time = z.iso.datetime({ offset: true });
const EnterBody = z.strictObject({
  devices: z.array(z.string().min(1).max(255)).min(1).max(1000).describe('Names, or patterns such as `srv-*`.'),
  duration_seconds: z.number().int().min(SHORTEST_SECONDS).max(LONGEST_SECONDS),
  from: time.optional().describe('Absent: from now on.'),
  reason,
});
const EndBody = z.strictObject({ reason });
const Window = z.object({
  id: z.string(),
  reason: z.string().describe('Of one in the config its name.'),
  devices: z.array(z.string()),
  from: time,
  to: time,
  entered_by: z.string().nullable().describe('Null: it stands in the config.'),
});

/** Maintenance that is open or planned, entering it, and ending it before its time. */
export const maintenanceRoutes: AddRoutes = (router, context) => {
  const { view, clock } = context;
  const windowJson = ({ key, name, devices, from, to, entered, author }: WindowView) => ({
    id: key,
    reason: name,
    devices,
    from: isoTime(from, view.site.timezone),
    to: isoTime(to, view.site.timezone),
    entered_by: entered ? (author ?? '') : null,
  });
  router.add({
    method: 'get',
    path: '/api/v1/maintenance',
    access: 'viewer',
    summary: 'Maintenance that is open or planned, the next first.',
    answer: z.array(Window),
    handle: () => json(shownWindows(context).map(windowJson)),
  });
  router.add({
    method: 'post',
    path: '/api/v1/maintenance',
    access: 'operator',
    summary: 'Enter a window, from now on or from a later time.',
    body: EnterBody,
    answer: z.object({ id: z.string() }),
    handle: async ({ body: { devices, duration_seconds: seconds, from, reason: why }, principal }) => {
      const begins = from === undefined ? clock.wallNow() : (Date.parse(from) as WallTime);
      const entered = await enter({ devices, ...lasting(begins, seconds), reason: why, by: principal.name }, context);
      return typeof entered === 'string' ? json({ id: entered }, 201) : entered;
    },
  });
  router.add({
    method: 'post',
    path: '/api/v1/maintenance/:id/end',
    access: 'operator',
    summary: 'End a window that a person entered, now. What it was until now stays.',
    body: EndBody,
    answer: z.object({ id: z.string() }),
    handle: async ({ params: { id = '' }, body: { reason: why }, principal }) =>
      (await end(id, principal.name, why, context)) ?? json({ id }),
  });
};
