import { z } from 'zod';
import { SitewardError } from '#config/errors.ts';
import { mayCall } from '../access/guard.ts';
import { page, problem, seeOther } from '../answer.ts';
import { discoveryPage } from '../pages/discovery.ts';
import type { AddRoutes } from '../route.ts';
import { frameOf } from './frame.ts';

const Decision = z.object({
  decision: z.enum(['adopt', 'ignore']),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { error: 'is not a name (letters, digits, . _ and -)' })
    .optional(),
  reason: z.string().max(1000).default(''),
});

export const discoveryPageRoutes: AddRoutes = (router, context) => {
  const { inventory, scanner, snapshots } = context;
  router.add({
    method: 'get',
    path: '/discovery',
    access: 'viewer',
    query: z.object({ adopted: z.string().max(63).optional(), ignored: z.string().max(63).optional() }),
    handle: (request) => {
      const { discovery: text } = snapshots.words(request.language).messages;
      const { adopted, ignored } = request.query;
      const notice = adopted !== undefined ? text.adopted(adopted) : ignored !== undefined ? text.ignored : undefined;
      const candidates = inventory?.discoveries().filter(({ state }) => state === 'candidate') ?? [];
      return page(
        discoveryPage({
          frame: frameOf(request, context),
          candidates: candidates.map((record) => ({
            ...record,
            proposedName: inventory?.proposedName(record.id) ?? '',
            doubtNames: record.doubts.map(({ device }) => inventory?.get(device)?.name ?? device),
          })),
          searches: (scanner?.status().length ?? 0) > 0,
          mayDecide: mayCall(request.principal.role, 'operator'),
          ...(notice === undefined ? {} : { notice }),
        }),
      );
    },
  });
  router.add({
    method: 'post',
    path: '/discovery/:id',
    access: 'operator',
    body: Decision,
    handle: async ({ params: { id = '' }, body: { decision, name }, principal }) => {
      if (!inventory) return problem(404, 'no discovery', 'nothing is looked for');
      try {
        if (decision === 'adopt') {
          const { name: called } = await inventory.adopt(id, name === undefined ? {} : { name }, principal.name);
          return seeOther(`/discovery?${new URLSearchParams({ adopted: called ?? name ?? id })}`);
        }
        await inventory.ignore(id, principal.name);
        return seeOther(`/discovery?${new URLSearchParams({ ignored: id })}`);
      } catch (error) {
        if (!(error instanceof SitewardError)) throw error;
        return problem(409, error.message, error.hint);
      }
    },
  });
};
