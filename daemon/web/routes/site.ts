import { z } from 'zod';
import { json } from '../answer.ts';
import { isoTime } from '../json.ts';
import type { AddRoutes } from '../route.ts';
import type { SiteView } from '../site-view.ts';

export const SiteAnswer = z.object({
  id: z.string(),
  client: z.string(),
  timezone: z.string(),
  version: z.string(),
  demo: z.boolean().describe('True while what siteward serves is the simulated office.'),
  started_at: z.iso.datetime({ offset: true }),
  ready: z.boolean(),
  devices: z.record(z.string(), z.int()).describe('How many devices are in each state.'),
});

export const siteRoutes: AddRoutes = (router, { view }) => {
  router.add({
    method: 'get',
    path: '/api/v1/site',
    access: 'viewer',
    summary: 'The site, and how many devices are in each state.',
    answer: SiteAnswer,
    handle: () => json(siteJson(view)),
  });
};

function siteJson(view: SiteView): z.input<typeof SiteAnswer> {
  const { site, version, startedAt, demo } = view;
  const states = Object.groupBy(view.devices(), ({ state }) => state);
  return {
    id: site.id,
    client: site.client,
    timezone: site.timezone,
    version,
    demo,
    started_at: isoTime(startedAt, site.timezone),
    ready: view.notReady().length === 0,
    devices: Object.fromEntries(Object.entries(states).map(([state, list]) => [state, list.length])),
  };
}
