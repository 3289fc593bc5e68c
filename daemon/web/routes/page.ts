import { page } from '../answer.ts';
import { STYLE_SHEET, sitePage } from '../page.ts';
import type { AddRoutes } from '../route.ts';

export const pageRoutes: AddRoutes = (router, { view }) => {
  router.add({ method: 'get', path: '/', access: 'viewer', handle: () => page(sitePage(view)) });
  router.add({
    method: 'get',
    path: '/style.css',
    access: 'open',
    handle: () => ({ kind: 'file', bytes: STYLE_SHEET, type: 'text/css; charset=utf-8', maxAgeSeconds: 3600 }),
  });
};
