import { z } from 'zod';
import type { WallTime } from '#collectors/contract.ts';
import { type Entry, entryOf, PARTIES } from '../../availability/entries.ts';
import { readSlaReport } from '../../availability/reading.ts';
import { slaJson } from '../../availability/sla-json.ts';
import { isoInstant } from '../../calendar.ts';
import type { KeptEvent } from '../../inventory/ledger.ts';
import { PERIOD_FORMS } from '../../reports/sources.ts';
import type { Row, SqlValue } from '../../store/store.ts';
import { json, problem } from '../answer.ts';
import { cursorOf, cursorText, merged, NEWEST } from '../events.ts';
import type { AddRoutes } from '../route.ts';

const SlaQuery = z.object({
  period: z.string().max(80).default('this-month'),
  sla: z.union([z.string(), z.array(z.string())]).optional(),
});
const EventsQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  cursor: z
    .string()
    .regex(/^\d{1,16}\.\d{1,16}$/)
    .optional()
    .describe('Goes on where an answer ended: its `Link` has it.'),
  device: z.string().max(255).optional(),
});
const Happened = z.object({
  id: z.int().describe('Its place among those of its source.'),
  source: z.enum(['availability', 'inventory']),
  kind: z.string(),
  at: z.iso.datetime({ offset: true }).describe('Since when it holds.'),
  recorded_at: z.iso.datetime({ offset: true }),
  device: z.string().nullable(),
  discovery: z.string().optional().describe('Of the inventory: id of the record.'),
  state: z.string().nullable(),
  rule: z.string().nullable(),
  detail: z.unknown(),
});
const text = z.string().trim().min(1).max(1_000);
const CorrectionBody = z
  .strictObject({
    device: z.string().min(1).max(255),
    from: z.iso.datetime({ offset: true }),
    to: z.iso.datetime({ offset: true }),
    state: z.enum(['up', 'down', 'unreachable', 'unknown']).optional(),
    party: z.enum(PARTIES).optional(),
    author: text.optional(),
    reason: text,
  })
  .refine(({ state, party }) => state !== undefined || party !== undefined, 'write a state, a party, or both');

/** Availability: the SLA report, what happened, what was told to whom, and corrections by people. */
export const availabilityRoutes: AddRoutes = (router, { availability, clock, view, inventory }) => {
  if (!availability) return;
  const time = (at: unknown) => isoInstant(Number(at) as WallTime, view.site.timezone);
  router.add({
    method: 'get',
    path: '/api/v1/sla',
    access: 'viewer',
    summary: 'Availability of a period under each contract, as `siteward report sla` gives it.',
    query: SlaQuery,
    handle: async ({ query: { period, sla } }) => {
      const only = sla === undefined ? undefined : [sla].flat();
      const report = await readSlaReport(availability.database(), period, {
        config: availability.config(),
        now: clock.wallNow(),
        ...(only ? { only } : {}),
      });
      return report ? json(slaJson(report)) : problem(400, 'no such period', `write ${PERIOD_FORMS}`);
    },
  });
  router.add({
    method: 'get',
    path: '/api/v1/events',
    access: 'viewer',
    summary:
      'What happened, newest first: states, maintenance, corrections and interruptions; and what discovery saw: new, gone, moved, re-addressed, other firmware.',
    query: EventsQuery,
    answer: z.array(Happened),
    handle: async ({ query: { limit, cursor, device }, path }) => {
      const from = cursorOf(cursor ?? '') ?? NEWEST;
      const params: SqlValue[] = [from.ledger, device ?? null, device ?? null, limit];
      const rows = await availability
        .database()
        .read(
          `SELECT * FROM availability_entries WHERE seq < ? AND (? IS NULL OR device = ?) ORDER BY seq DESC LIMIT ?`,
          params,
        );
      const seen = (await inventory?.latest(from.inventory, limit, device)) ?? [];
      const { happened, next } = merged(rows.map(entryOf), seen, from, limit);
      const more = new URLSearchParams({
        ...(device === undefined ? {} : { device }),
        limit: String(limit),
        cursor: cursorText(next),
      });
      return json(
        happened.map((each) =>
          each.source === 'availability'
            ? eventJson(each.entry, time)
            : seenJson(each.event, inventory?.get(each.event.device)?.name, time),
        ),
        200,
        happened.length === limit ? { Link: `<${path}?${more}>; rel="next"` } : {},
      );
    },
  });
  router.add({
    method: 'get',
    path: '/api/v1/notices',
    access: 'viewer',
    summary: 'What was told to whom, newest first, and what was not taken yet.',
    query: z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(100) }),
    handle: async ({ query: { limit } }) =>
      json((await availability.notices(limit)).map((row) => noticeJson(row, time))),
  });
  router.add({
    method: 'post',
    path: '/api/v1/corrections',
    access: 'operator',
    summary: "A person's word on a time: another state, or who answers for it. The observation stays.",
    body: CorrectionBody,
    handle: async ({ body: { device, from, to, state, party, author, reason }, principal }) => {
      if (!availability.knows(device))
        return problem(404, 'no such device', `there is no device ${JSON.stringify(device)}`);
      const span = { from: Date.parse(from) as WallTime, to: Date.parse(to) as WallTime };
      if (span.to <= span.from) return problem(422, 'no time', 'to is not after from');
      if (span.to > clock.wallNow()) return problem(422, 'not yet', 'only what has passed can be corrected');
      await availability.correct(device, span.from, {
        to: span.to,
        ...(state === undefined ? {} : { state }),
        ...(party === undefined ? {} : { party }),
        author: author ?? principal.name,
        reason,
      });
      return json({ ok: true }, 201);
    },
  });
};

function eventJson(entry: Entry, time: (at: unknown) => string): Record<string, unknown> {
  return {
    id: entry.seq,
    source: 'availability',
    kind: entry.kind,
    at: time(entry.at),
    recorded_at: time(entry.recorded),
    device: 'device' in entry ? entry.device : null,
    state: entry.kind === 'state' ? entry.state : null,
    rule: entry.kind === 'state' ? entry.rule : null,
    detail: 'detail' in entry ? entry.detail : null,
  };
}

/** The device is null while it is a candidate; `discovery` is its id in any case. */
function seenJson(
  { seq, kind, at, device, detail }: KeptEvent,
  name: string | undefined,
  time: (at: unknown) => string,
): Record<string, unknown> {
  return {
    id: seq,
    source: 'inventory',
    kind,
    at: time(at),
    recorded_at: time(at),
    device: name ?? null,
    discovery: device,
    state: null,
    rule: null,
    detail,
  };
}

function noticeJson(row: Row, time: (at: unknown) => string): Record<string, unknown> {
  return {
    id: row['id'],
    channel: row['channel'],
    status: row['kind'],
    title: row['subject'],
    at: time(row['created']),
    attempts: row['attempts'],
    delivered_at: row['delivered'] === null ? null : time(row['delivered']),
    last_error: row['last_error'],
  };
}
