/** Holds the accuracy over the recorded devices, read over UDP, at what is promised. */
import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Accuracy, accuracyTable, costTable, measureAccuracy, missLines, share } from './accuracy.ts';
import { SHARED_DEVICES } from './recordings.ts';

/** Least share of right values. */
const PROMISED = {
  class: 1,
  vendor: 0.98,
  model: 0.97,
  serial: 0.97,
  version: 0.95,
  'meters-right': 1,
  'meters-reported': 0.95,
  supplies: 0.98,
  'supply-colors': 0.95,
  cpu: 0.97,
  memory: 0.97,
  storage: 0.97,
  sensors: 0.95,
  sessions: 0.95,
  ups: 0.95,
  interfaces: 0.95,
  uptime: 1,
  'printer-status': 0.95,
} as const;

const present = existsSync(SHARED_DEVICES);
if (!present) console.warn(`accuracy is not measured: there are no recorded devices at ${SHARED_DEVICES}`);

describe.skipIf(!present)('accuracy over the recorded devices', () => {
  let accuracy: Accuracy = { checks: [], costs: [] };

  beforeAll(async () => {
    accuracy = await measureAccuracy({ udp: true });
    console.log(`${accuracyTable(accuracy)}\n\n${costTable(accuracy)}\n\n${missLines(accuracy).join('\n')}`);
  }, 120_000);

  test.each(Object.entries(PROMISED))('%s is right for at least %d of 1', (area, promised) => {
    const { right, of } = share(accuracy, area);

    expect(of).toBeGreaterThan(0);
    expect(right / of, missLines(accuracy, area).join('\n')).toBeGreaterThanOrEqual(promised);
  });

  test('the median device is recognised and read in at most 12 requests, and polled in fewer', () => {
    const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

    expect(median(accuracy.costs.map(({ inventory }) => inventory.requests))).toBeLessThanOrEqual(12);
    expect(median(accuracy.costs.map(({ metrics }) => metrics.requests))).toBeLessThanOrEqual(6);
  });
});
