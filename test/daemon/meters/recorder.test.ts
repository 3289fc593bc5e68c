import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Clock, Identity, Milliseconds, Monotonic, Observation, WallTime } from '#collectors/contract.ts';
import { createLogger } from '#daemon/log.ts';
import { printerKey } from '#daemon/meters/printer.ts';
import type { Read } from '#daemon/meters/read.ts';
import { Recorder } from '#daemon/meters/recorder.ts';
import { neverLate } from '../../support/never-late.ts';
import { HOUR, openSite, type Site, termsFor } from './site.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 4, 4, 9, 10) as WallTime;

let site: Site;
let recorder: Recorder;
let wall: number;
let mono: number;
let asked: string[];
let published: Observation[];

const clock: Clock = {
  wallNow: () => wall as WallTime,
  monotonicNow: () => mono as Monotonic,
  sleep: async () => undefined,
  timeout: () => new AbortController().signal,
  deadline: neverLate,
};

beforeEach(async ({ task }) => {
  if (task.name.startsWith('a serial number')) return;
  site = await openSite();
  wall = START;
  mono = 1_000;
  asked = [];
  published = [];
  recorder = newRecorder();
});
afterEach(async ({ task }) => {
  if (!task.name.startsWith('a serial number')) await site.remove();
});

function newRecorder(): Recorder {
  return new Recorder({
    ledger: site.ledger,
    clock,
    log: createLogger('error'),
    terms: () => [termsFor('acme-print')],
    profileVersion: () => 'v1',
    publish: (observation) => published.push(observation),
    askAgain: (device) => asked.push(device),
  });
}

interface Seen {
  readonly device?: string;
  readonly serial?: string;
  readonly pages?: number;
  readonly after?: number;
  readonly rest?: Partial<Observation>;
}

/** One poll, so many milliseconds after the one before. With a serial number it is an inventory. */
async function poll({ device = 'copier', serial, pages, after = MINUTE, rest = {} }: Seen): Promise<void> {
  wall += after;
  mono += after;
  const identity: Identity | undefined =
    serial === undefined ? undefined : { class: 'printer', vendor: 'Acme', serial, profile: 'acme' };
  const source = { oid: '1.3.6.1.4.1.99999.1', unit: 'impressions', raw: `${pages}` };
  const labels = { meter: 'total' };
  const reading = { metric: 'siteward_printer_meter_pages_total' as const, labels, value: BigInt(pages ?? 0), source };
  recorder.accept({
    device,
    collector: 'snmp',
    question: identity ? 'inventory' : 'metrics',
    at: wall as WallTime,
    took: 1 as Milliseconds,
    evidence: { kind: 'answered' },
    groups: pages === undefined ? [] : [{ name: 'meters', readings: [reading] }],
    ...(identity && { identity }),
    problems: [],
    requests: 1,
    timeouts: 0,
    ...rest,
  });
  await recorder.flush(AbortSignal.timeout(10_000));
}

const reads = async (device = 'copier'): Promise<readonly Read[]> => await site.ledger.lastReads(device);
const printersOf = async (device: string) =>
  [...(await site.ledger.sources()).values()]
    .filter((source) => source.device === device)
    .map(({ printer }) => printer);

test('keeps the first read, one an hour, and those around a cut', async () => {
  await poll({ serial: 'SN0001', pages: 100 });
  await poll({ pages: 101 });
  await poll({ pages: 102, after: 55 * MINUTE });
  wall = Date.UTC(2026, 5, 1) - MINUTE;
  mono += wall - START;
  await poll({ pages: 900, after: 30_000 });
  await poll({ pages: 901, after: 60_000 });

  const kept = await reads();
  expect(kept.map(({ slots }) => slots[0])).toEqual([100, 102, 900, 901]);
  expect(kept.every(({ step }) => step === 'ok')).toBe(true);
});

test('a fall without a word of who it is moves nothing, and is asked again; with it, it counts', async () => {
  await poll({ serial: 'SN0001', pages: 40_000 });
  await poll({ pages: 12 });
  expect((await reads()).map(({ step }) => step)).toEqual(['ok', 'implausible']);
  expect(asked).toEqual(['copier']);

  await poll({ serial: 'SN0001', pages: 13 });

  expect((await reads()).map(({ step }) => step)).toEqual(['ok', 'implausible', 'ok']);
});

test('a printer whose counters never follow is asked again less and less often, and at once when it has followed', async () => {
  await poll({ serial: 'SN0001', pages: 40_000 });
  let pages = 40_000;
  const askedAt = new Set<number>();
  const minutesOf = async (from: number, to: number, printed: number) => {
    for (let minute = from; minute < to; minute += 1) {
      pages += printed;
      await poll({ pages });
      for (; asked.length > 0; asked.pop()) {
        askedAt.add(minute);
        await poll({ serial: 'SN0001', pages, after: 1_000 });
      }
    }
  };

  await minutesOf(0, 300, 30_000);
  await minutesOf(300, 380, 10);
  await minutesOf(380, 390, 30_000);

  expect([...askedAt]).toEqual([0, 5, 15, 35, 75, 135, 195, 255, 315, 380, 385]);
});

test('another printer at the address is another printer, not a fall', async () => {
  await poll({ serial: 'SN0001', pages: 40_000 });
  await poll({ pages: 12 });
  await poll({ serial: 'SN0002', pages: 12 });

  expect(await printersOf('copier')).toEqual(['Acme:SN0001', 'Acme:SN0002']);
});

test('a printer that moves to another address goes on; two with one serial number are told apart', async () => {
  await poll({ device: 'a', serial: 'SN0001', pages: 40_000 });
  await poll({ device: 'b', serial: 'SN0001', pages: 40_003 });
  expect(await printersOf('b')).toEqual(['Acme:SN0001']);

  await poll({ device: 'c', serial: 'SN0001', pages: 500 });

  expect(await printersOf('c')).toEqual(['Acme:SN0001@c']);
  expect(await site.ledger.entries(['serial-doubled'])).toHaveLength(1);
});

test.each(['', '0000000000', 'XXXXXXXX', '(null)', 'N/A', '12'])('a serial number %j is none', (serial) => {
  expect(printerKey('copier', { vendor: 'Acme', serial })).toBe('name:copier');
});

test('says where reading fails: silence, refusal, no counter, text for a counter, warm-up', async () => {
  await poll({ serial: 'SN0001', pages: 40_000 });
  await poll({ rest: { evidence: { kind: 'silent' }, problems: [{ code: 'SNMP_TIMEOUT', message: '', hint: '' }] } });
  await poll({
    rest: { evidence: { kind: 'silent' }, problems: [{ code: 'SNMP_UNKNOWN_USER', message: '', hint: '' }] },
  });
  await poll({});
  const message = 'siteward_printer_meter_pages_total cannot be made from "-1" at 1.3.6.1.4.1.99999.1; it is absent';
  await poll({ rest: { problems: [{ code: 'PROFILE_VALUE_UNUSABLE', message, hint: '' }] } });
  await poll({ pages: 0 });

  const kept = await reads();
  expect(kept.map(({ step }) => step)).toEqual(['ok', 'silent', 'refused', 'no-counter', 'unusable', 'warm-up']);
  expect(kept[4]?.note).toContain('"-1"');
});

test('a clock that is a day behind after a restart is not believed until it has caught up', async () => {
  await poll({ serial: 'SN0001', pages: 100 });
  recorder = newRecorder();
  wall -= 24 * HOUR;
  await poll({ serial: 'SN0001', pages: 110 });
  expect((await reads()).map(({ clockTrusted }) => clockTrusted)).toEqual([true, false]);

  wall += 24 * HOUR;
  mono += MINUTE;
  await poll({ serial: 'SN0001', pages: 120, after: HOUR });

  expect((await reads()).map(({ clockTrusted }) => clockTrusted)).toEqual([true, false, true]);
  expect(await site.ledger.entries(['clock-step'])).toHaveLength(1);
});

test('publishes what is billed beside what is read, and when', async () => {
  await poll({ serial: 'SN0001', pages: 40_000 });
  await poll({ pages: 40_025, after: HOUR });

  const last = published.at(-1)?.groups[0]?.readings;
  expect(last).toMatchObject([
    { metric: 'siteward_printer_meter_billed_pages_total', labels: { meter: 'total' }, value: 25n },
    { metric: 'siteward_printer_meter_last_read_timestamp_seconds', value: wall / 1000 },
  ]);
});
