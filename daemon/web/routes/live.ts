import { Live } from '../live.ts';
import type { AddRoutes } from '../route.ts';

export const liveRoutes: AddRoutes = (router, { snapshots }) => {
  const live = new Live(snapshots);
  router.add({
    method: 'get',
    path: '/api/v1/live',
    access: 'viewer',
    summary: 'Server-sent events: `site`, when something on the overview changes, and four times a minute.',
    media: ['text/event-stream'],
    handle: ({ language }) => ({ kind: 'stream', write: async (response) => await live.listen(response, language) }),
  });
};
