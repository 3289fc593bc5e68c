import { z } from 'zod';
import type { Rung } from '../../diagnosis/ladder.ts';
import { json, notFound, page } from '../answer.ts';
import { diagnosisPage } from '../pages/diagnosis.ts';
import type { AddRoutes } from '../route.ts';
import { frameOf } from './frame.ts';

const Answer = z.array(
  z.object({
    name: z.string(),
    outcome: z.enum(['good', 'bad', 'unsure', 'skipped']),
    message: z.string(),
    hint: z.string().optional(),
  }),
);
/** A person waits for it. */
const LONGEST = 25_000;

export const diagnosisRoutes: AddRoutes = (router, context) => {
  const { view, diagnose } = context;
  if (!diagnose) return;
  const climb = async (name: string): Promise<Rung[]> => {
    const rungs: Rung[] = [];
    for await (const rung of diagnose(name, AbortSignal.timeout(LONGEST))) rungs.push(rung);
    return rungs;
  };
  // Both ask a device that is watched, and nothing else: an address in a request would make this a scanner for others.
  router.add({
    method: 'post',
    path: '/api/v1/devices/:name/diagnosis',
    access: 'operator',
    summary: 'Asks a device step by step why it does not answer.',
    answer: Answer,
    handle: async ({ params: { name = '' } }) =>
      view.device(name) ? json(await climb(name)) : notFound('device', 'GET /api/v1/devices lists them'),
  });
  router.add({
    method: 'post',
    path: '/devices/:name/diagnosis',
    access: 'operator',
    handle: async (request) => {
      const { name = '' } = request.params;
      if (!view.device(name)) return notFound('device', `there is no device ${name}`);
      return page(diagnosisPage(frameOf(request, context), name, await climb(name)));
    },
  });
};
