/** The gauges of contracts, from the worked month: of devices and of groups, of the running and of the closed period. */
import { expect, onTestFinished, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { parseConfig } from '#config/load.ts';
import type { Config } from '#config/schema.ts';
import { SlaKeeper } from '#daemon/availability/sla-keeper.ts';
import { PrometheusSink } from '#daemon/sinks/prometheus.ts';
import { setClock } from '../../support/availability.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { at, enterMonth, workedMonth } from '../../support/worked-month.ts';

const month = workedMonth();

async function keeperAt(now: WallTime) {
  const book = await enterMonth(await temporaryFolder(), month);
  onTestFinished(async () => await book.close());
  const prometheus = new PrometheusSink();
  const clock = setClock(now);
  const state = { config: month.loaded.config };
  const keeper = new SlaKeeper({
    clock,
    log: recordingLogger(),
    database: () => book.ledger.database,
    config: () => state.config,
    publish: (observation) => prometheus.accept(observation),
  });
  const figures = async (): Promise<ReadonlyMap<string, number>> => {
    await keeper.refresh();
    const lines = Array.from(prometheus.render('text'), String).join('').split('\n');
    return new Map(
      lines
        .filter((line) => line.startsWith('siteward_sla'))
        .map((line) => line.split('} '))
        .map(([name = '', value]) => [`${name}}`, Number(value)]),
    );
  };
  const use = (config: Config): void => {
    state.config = config;
  };
  return { figures, clock, use };
}

/** The config of the worked month with other words in it. */
const altered = (edit: (text: string) => string): Config => parseConfig(edit(month.yaml), 'worked-month.yaml').config;
const series = (subject: string, sla: string, figure: string, period: string): string =>
  subject === 'internet'
    ? `siteward_sla_group_${figure}{group="internet",period="${period}",sla="${sla}"}`
    : `siteward_sla_${figure}{device="${subject}",period="${period}",sla="${sla}"}`;

test('each device and each group of the sheet has the gauges of the closed period', async () => {
  const { figures } = await keeperAt(at('2026-11-02T09:00'));

  const found = await figures();

  for (const row of month.figures) {
    const { sla = '', subject = '' } = row;
    const of = (figure: string) => found.get(series(subject, sla, figure, 'previous'));
    expect([subject, of('availability_ratio'), of('coverage_ratio')]).toEqual([
      subject,
      Number((Number(row['availability']) / 100).toFixed(6)),
      Number((Number(row['coverage']) / 100).toFixed(6)),
    ]);
    expect(of('target_ratio')).toBe(sla === 'office' ? 0.995 : 0.999);
    expect(of('downtime_seconds')).toBe(Number(row['downtime']));
    expect(of('budget_remaining_seconds')).toBe(Number(row['budget left']));
    // Worked out from the sheet: what was down of what was allowed.
    const allowed = Number(row['downtime']) + Number(row['budget left']);
    expect(of('budget_burn_ratio')).toBeCloseTo(Number(row['downtime']) / allowed, 6);
  }
});

test('the running period has its own gauges, and an outage over the end of the month is in both', async () => {
  const { figures } = await keeperAt(at('2026-11-02T09:00'));

  const found = await figures();

  // Twenty minutes of November, of the 33 hours that have passed; 720 hours allow 2,592 seconds.
  expect(found.get(series('sw-1', 'always-on', 'downtime_seconds', 'current'))).toBe(1200);
  expect(found.get(series('sw-1', 'always-on', 'budget_remaining_seconds', 'current'))).toBe(1392);
  expect(found.get(series('sw-1', 'always-on', 'budget_burn_ratio', 'current'))).toBeCloseTo(1200 / 118.8, 6);
  expect(found.get(series('internet', 'always-on', 'downtime_seconds', 'current'))).toBe(0);
  expect(found.get(series('internet', 'always-on', 'availability_ratio', 'current'))).toBe(1);
});

test('a figure of which too little is known is withheld, and its coverage says why', async () => {
  const { figures, use } = await keeperAt(at('2026-11-02T09:00'));
  use(altered((text) => text.replace('target: 99.9%', 'target: 99.9%\n    coverage_floor: 99.95%')));

  const found = await figures();

  for (const subject of ['fw-1', 'internet']) {
    expect(found.has(series(subject, 'always-on', 'availability_ratio', 'previous'))).toBe(false);
    expect(found.has(series(subject, 'always-on', 'budget_burn_ratio', 'previous'))).toBe(false);
    expect(found.get(series(subject, 'always-on', 'coverage_ratio', 'previous'))).toBe(0.998993);
  }
  expect(found.get(series('srv-1', 'office', 'availability_ratio', 'previous'))).toBe(0.9917);
});

test('the month that has just ended is the previous one at once, and what leaves a contract leaves the gauges', async () => {
  const { figures, clock, use } = await keeperAt(at('2026-10-31T23:58'));
  const before = await figures();
  clock.set(at('2026-11-01T00:03'));
  const after = await figures();
  use(altered((text) => text.replace(', sla: office', '')));
  const without = await figures();
  use(altered((text) => text.replaceAll(/, sla: [a-z-]+/g, '').replace(/slas:[\s\S]*/, '')));

  expect(before.get(series('srv-1', 'office', 'downtime_seconds', 'previous'))).not.toBe(9150);
  expect(after.get(series('srv-1', 'office', 'downtime_seconds', 'previous'))).toBe(9150);
  expect([...without.keys()].filter((name) => name.includes('srv-1'))).toEqual([]);
  expect([...without.keys()].filter((name) => name.includes('fw-1')).length).toBeGreaterThan(0);
  expect(await figures()).toEqual(new Map());
});
