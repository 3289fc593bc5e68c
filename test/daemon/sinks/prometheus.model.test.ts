/** Whatever polls bring, the sink holds and prints what a plain model of it does. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MetricName } from '#collectors/catalogue.ts';
import type { DeviceClass, Evidence, Labels, Observation, Reading } from '#collectors/contract.ts';
import { PrometheusSink } from '#daemon/sinks/prometheus.ts';
import { PrometheusModel } from './prometheus-model.ts';

const DEVICES = ['sw-1', 'fw "ö" \\ 1', ''] as const;
const CLASSES = ['switch', 'firewall'] as const satisfies readonly DeviceClass[];
const COLLECTORS = ['snmp', 'icmp'] as const;
const GROUPS = ['interfaces', 'meters', 'cpu'] as const;
const METRICS: readonly MetricName[] = [
  'siteward_interface_up',
  'siteward_interface_receive_bytes_total',
  'siteward_interface_transmit_bytes_total',
  'siteward_cpu_usage_ratio',
  'siteward_printer_meter_pages_total',
  'siteward_probe_success',
];

/** As collectors do, polls give the same object again and again. Some differ as objects, but not as text. */
const LABELS: readonly Labels[] = [
  {},
  {},
  { interface: 'wan' },
  { interface: 'wan' },
  { interface: 'lan', alias: 'ground "floor"\n' },
  { alias: 'ground "floor"\n', interface: 'lan' },
  { cpu: '\ud800' },
  { cpu: '\udc00' },
  { cpu: 'a name that is longer than any other, with ümläuts and 漢字' },
];

const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.nat(),
  fc.bigInt({ min: 0n, max: 2n ** 40n }),
  fc.constantFrom<number | bigint>(-0, -1, -1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n, 2n ** 64n),
);
const labels = fc.constantFrom(...LABELS);
const metric = fc.constantFrom(...METRICS);

/** Rows of the same metrics, as tables give them, and readings without any order. */
const table = fc
  .tuple(fc.uniqueArray(labels, { maxLength: 6 }), fc.array(fc.tuple(metric, value), { maxLength: 4 }))
  .map(([rows, columns]) =>
    rows.flatMap((row) => columns.map(([name, each]) => ({ metric: name, labels: row, value: each }))),
  );
const readings = fc.oneof(table, fc.array(fc.record<Reading>({ metric, labels, value }), { maxLength: 12 }));
const groups = fc.array(fc.record({ name: fc.constantFrom(...GROUPS), readings }), { maxLength: 3 });
const where = { device: fc.constantFrom(...DEVICES), collector: fc.constantFrom(...COLLECTORS) };

/** What may become of one reading of a poll. */
type Change = 'none' | 'gone' | 'twice' | 'moved' | 'metric' | 'type';
const change = fc.constantFrom<Change>('none', 'none', 'none', 'gone', 'twice', 'moved', 'metric', 'type');

type Step =
  | { readonly kind: 'poll'; readonly observation: Observation }
  /** What the last poll of that device brought, with other values and one change. */
  | {
      readonly kind: 'again';
      readonly device: string;
      readonly collector: string;
      readonly by: number;
      readonly change: Change;
    }
  | { readonly kind: 'forget'; readonly device: string };

const evidence: fc.Arbitrary<Evidence> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Evidence>({ kind: 'answered' }) },
  fc.constant<Evidence>({ kind: 'silent' }),
  fc.constant<Evidence>({ kind: 'could-not-tell', reason: 'no tool' }),
);
const ofClass = fc.option(fc.constantFrom(...CLASSES), { nil: undefined });
const poll = fc
  .record({ ...where, evidence, groups, ofClass })
  .map((each): Step => ({ kind: 'poll', observation: observation(each) }));
const again = fc.record({ ...where, by: fc.nat(1_000), change }).map((each): Step => ({ kind: 'again', ...each }));
const forget = where.device.map((device): Step => ({ kind: 'forget', device }));
const step = fc.oneof(
  { weight: 4, arbitrary: poll },
  { weight: 6, arbitrary: again },
  { weight: 1, arbitrary: forget },
);

function observation({
  ofClass: identified,
  ...rest
}: Pick<Observation, 'device' | 'collector' | 'evidence' | 'groups'> & {
  readonly ofClass?: DeviceClass | undefined;
}): Observation {
  return {
    ...rest,
    ...(identified ? { identity: { class: identified, profile: 'x' } } : {}),
    question: 'metrics',
    at: 0 as Observation['at'],
    took: 0 as Observation['took'],
    problems: [],
    requests: 1,
    timeouts: 0,
  };
}

function repeated(last: Observation, by: number, how: Change): Observation {
  const groupsNow = last.groups.map(({ name, readings: before }) => {
    const now = before.map((each) => ({
      ...each,
      value: typeof each.value === 'bigint' ? each.value + BigInt(by) : each.value + by,
    }));
    return { name, readings: changed(now, by, how) };
  });
  return { ...last, groups: groupsNow };
}

function changed(each: readonly Reading[], by: number, how: Change): readonly Reading[] {
  const at = by % (each.length || 1);
  const reading = each[at];
  if (!reading || how === 'none') return each;
  const others = each.toSpliced(at, 1);
  if (how === 'gone') return others;
  if (how === 'twice') return [...each, reading];
  if (how === 'moved') return [...others, reading];
  if (how === 'metric') return each.with(at, { ...reading, metric: METRICS[by % METRICS.length] ?? reading.metric });
  return each.with(at, { ...reading, value: typeof reading.value === 'bigint' ? 0.5 : 7n });
}

function texts(chunks: Iterable<Buffer>): string {
  return Array.from(chunks, String).join('');
}

test('any run of polls leaves what the model has', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const sink = new PrometheusSink();
      const model = new PrometheusModel();
      const last = new Map<string, Observation>();
      for (const each of steps) {
        if (each.kind === 'forget') {
          sink.forget(each.device);
          model.forget(each.device);
        } else {
          const before = each.kind === 'again' ? last.get(`${each.device}/${each.collector}`) : undefined;
          const now = each.kind === 'poll' ? each.observation : before && repeated(before, each.by, each.change);
          if (!now) continue;
          last.set(`${now.device}/${now.collector}`, now);
          sink.accept(now);
          model.accept(now);
        }

        expectSame(sink, model);
      }
    }),
    { numRuns: 1_000 },
  );
});

function expectSame(sink: PrometheusSink, model: PrometheusModel): void {
  for (const format of ['text', 'openmetrics'] as const) expect(texts(sink.render(format))).toBe(model.render(format));
  for (const filter of [{ devices: new Set(DEVICES.slice(0, 1)) }, { classes: new Set(['switch', '']) }])
    expect(texts(sink.render('text', filter))).toBe(model.render('text', filter));
  for (const device of DEVICES) expect(sink.readings(device)).toEqual(model.readings(device));
  expect(sink.size()).toEqual({ series: model.series(), cut: 0 });
}
