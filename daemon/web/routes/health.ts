import { text } from '../answer.ts';
import { healthy, ready } from '../health.ts';
import type { AddRoutes } from '../route.ts';

export const healthRoutes: AddRoutes = (router, { view }) => {
  router.add({
    method: 'get',
    path: '/-/healthy',
    access: 'open',
    summary: 'Answers while the daemon runs.',
    media: ['text/plain'],
    handle: healthy,
  });
  router.add({
    method: 'get',
    path: '/-/ready',
    access: 'open',
    summary: '503 until the first cycle is done, and whenever a required part is down.',
    media: ['text/plain'],
    handle: () => ready(view),
  });
  router.add({
    method: 'post',
    path: '/-/reload',
    access: 'admin',
    summary: 'Reads the config again. 422 and the old one stays in force where it has faults.',
    media: ['text/plain'],
    handle: async () => {
      const faults = await view.reload();
      return faults.length === 0
        ? text('the config was read again\n')
        : text(`the old config stays in force\n${faults.join('\n')}\n`, 422);
    },
  });
};
