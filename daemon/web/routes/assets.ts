import { notFound } from '../answer.ts';
import { asset } from '../assets.ts';
import type { AddRoutes } from '../route.ts';

/** Long enough that a page's second visit asks for nothing, short enough that an update is seen. */
const MAX_AGE_SECONDS = 600;

export const assetRoutes: AddRoutes = (router) => {
  router.add({
    method: 'get',
    path: '/assets/:name',
    // The page for signing in needs its look; none of these files says anything of the site.
    access: 'open',
    handle: async ({ params: { name = '' } }) => {
      const found = await asset(name);
      return found
        ? { kind: 'file', ...found, maxAgeSeconds: MAX_AGE_SECONDS }
        : notFound('file', 'only what pages ask for is served');
    },
  });
};
