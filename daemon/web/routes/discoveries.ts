import { z } from 'zod';
import { SitewardError } from '#config/errors.ts';
import type { DeviceRecord } from '../../inventory/record.ts';
import type { SiteInventory } from '../../inventory/site-inventory.ts';
import { json, notFound, problem } from '../answer.ts';
import { isoTime } from '../json.ts';
import type { AddRoutes, Answer } from '../route.ts';

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { error: 'is not a name' });

const AdoptBody = z.strictObject({
  name: name.optional(),
  device: z.string().min(1).max(63).optional(),
  class: z.enum(['firewall', 'printer', 'server', 'switch', 'ap', 'ups', 'nas', 'other']).optional(),
  sla: z.string().max(63).optional(),
  contract: z.string().max(63).optional(),
  parent: z.string().max(63).optional(),
  reason: z.string().max(1000).optional(),
});
const IgnoreBody = z.strictObject({ reason: z.string().max(1000).optional() });

/** What was found and waits for a decision, and the decisions. */
export const discoveryRoutes: AddRoutes = (router, { view, inventory, scanner }) => {
  if (!inventory) return;
  router.add({
    method: 'get',
    path: '/api/v1/discoveries',
    access: 'viewer',
    summary: 'Devices that were found and are not watched: candidates and ignored ones, with the evidence.',
    handle: () => json(inventory.discoveries().map((record) => discoveryJson(record, inventory, view.site.timezone))),
  });
  router.add({
    method: 'get',
    path: '/api/v1/discoveries/:id/history',
    access: 'viewer',
    summary: 'Everything that happened to a device, also before it was known to be this one.',
    handle: async ({ params: { id = '' } }) =>
      inventory.get(id)
        ? json(
            (await inventory.history(id)).map(({ seq, at, device, kind, detail }) => ({
              seq,
              at: isoTime(at, view.site.timezone),
              device,
              kind,
              detail,
            })),
          )
        : notFound('discovery', 'GET /api/v1/discoveries lists them'),
  });
  router.add({
    method: 'post',
    path: '/api/v1/discoveries/:id/adopt',
    access: 'operator',
    summary: 'Watch it from now on; with `device`, say which known device it is.',
    body: AdoptBody,
    handle: async ({ params: { id = '' }, body: { reason: _reason, ...request }, principal }) =>
      await decided(async () =>
        discoveryJson(await inventory.adopt(id, defined(request), principal.name), inventory, view.site.timezone),
      ),
  });
  router.add({
    method: 'post',
    path: '/api/v1/discoveries/:id/ignore',
    access: 'operator',
    summary: 'Do not ask about it again, until it changes.',
    body: IgnoreBody,
    handle: async ({ params: { id = '' }, principal }) =>
      await decided(async () =>
        discoveryJson(await inventory.ignore(id, principal.name), inventory, view.site.timezone),
      ),
  });
  router.add({
    method: 'post',
    path: '/api/v1/discoveries/:id/split',
    access: 'operator',
    summary: 'What is at this address is another device than the one it was taken for. ID may be a name.',
    body: z.strictObject({ address: z.string().max(64), reason: z.string().max(1000).optional() }),
    handle: async ({ params: { id = '' }, body: { address }, principal }) =>
      await decided(async () =>
        discoveryJson(await inventory.split(id, address, principal.name), inventory, view.site.timezone),
      ),
  });
  router.add({
    method: 'get',
    path: '/api/v1/scans',
    access: 'viewer',
    summary: 'The configured ranges: how far their scans are, and what went wrong.',
    handle: () =>
      json(
        (scanner?.status() ?? []).map(({ range, progress, last, problems }) => ({
          range,
          started: last ? isoTime(last.started, view.site.timezone) : null,
          finished: last?.finished === undefined ? null : isoTime(last.finished, view.site.timezone),
          addresses_done: progress?.done ?? null,
          addresses_total: progress?.total ?? null,
          packets_sent: progress?.packets ?? null,
          problems,
        })),
      ),
  });
  router.add({
    method: 'post',
    path: '/api/v1/scans',
    access: 'operator',
    summary: 'Scan the configured ranges now.',
    handle: () => {
      scanner?.hurry();
      return json({ ranges: scanner?.status().map(({ range }) => range) ?? [] }, 202);
    },
  });
};

/** A discovery as the API shows it. */
export function discoveryJson(
  record: DeviceRecord,
  inventory: Pick<SiteInventory, 'get' | 'proposedName'>,
  timezone: string,
): Record<string, unknown> {
  const { evidence, identity, parent } = record;
  const nameOf = (id: string) => inventory.get(id)?.name ?? id;
  return {
    id: record.id,
    state: record.state,
    name: record.name ?? null,
    proposed_name: record.name ?? inventory.proposedName(record.id),
    address: record.addresses[0] ?? null,
    addresses: record.addresses,
    mac: evidence.macs?.[0] ?? null,
    class: identity?.class ?? null,
    vendor: evidence.vendor ?? null,
    model: evidence.model ?? null,
    serial: evidence.serial ?? null,
    version: identity?.version ?? null,
    sys_name: evidence.sysName ?? null,
    engine_id: evidence.engineId ?? null,
    profile: identity?.profile ?? null,
    names: record.hints,
    open_ports: record.ports.map(({ protocol, port }) => `${protocol}/${port}`),
    reason: reasonOf(record),
    credential: record.credential?.name ?? null,
    parent_guess: parent ? { device: nameOf(parent.device), by: parent.by, port: parent.port ?? null } : null,
    maybe: record.doubts.map(({ device, agree, against }) => ({ device: nameOf(device), agree, against })),
    first_seen: isoTime(record.firstSeen, timezone),
    last_seen: isoTime(record.lastSeen, timezone),
    gone_since: record.gone === undefined ? null : isoTime(record.gone, timezone),
  };
}

function reasonOf({ state, agent, doubts, credential }: DeviceRecord): string {
  if (state === 'ignored') return 'ignored by a person';
  if (doubts.length > 0) return 'it may be a device that is known: a person decides';
  switch (agent) {
    case 'answered':
      return `it answers SNMP with ${credential?.name ?? 'a credential'}`;
    case 'refused':
      return 'its SNMP agent refuses the credential of its range';
    case 'held-back':
      return 'no credential was offered to it, since a wrong one was less than five minutes ago';
    case 'silent':
      return 'it is there, and its SNMP is silent';
    default:
      return agent satisfies never;
  }
}

async function decided(decide: () => Promise<unknown>): Promise<Answer> {
  try {
    return json(await decide());
  } catch (error) {
    if (!(error instanceof SitewardError)) throw error;
    if (error.code === 'NO_SUCH_DISCOVERY') return notFound('discovery', `${error.message} (${error.hint})`);
    if (error.code === 'NAME_TAKEN' || error.code === 'NO_SUCH_DEVICE')
      return problem(409, 'it cannot be adopted so', `${error.message} (${error.hint})`);
    throw error;
  }
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the keys that were left out: absent and undefined are two things to the types. */
function defined<T extends object>(request: T): Defined<T> {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined)) as Defined<T>;
}
