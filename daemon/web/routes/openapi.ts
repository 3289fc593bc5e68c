import { json } from '../answer.ts';
import type { AddRoutes } from '../route.ts';

export const openApiRoutes: AddRoutes = (router, { routes, view }) => {
  router.add({
    method: 'get',
    path: '/api/openapi.json',
    access: 'viewer',
    summary: 'This description.',
    handle: async () => {
      const { openApi } = await import('../openapi.ts');
      return json(openApi(routes(), view.version));
    },
  });
};
