/** Holds the accuracy over the recorded devices at what is promised. */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { accuracyTable, measureAccuracy, missLines, share } from './accuracy.ts';
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

describe.skipIf(!present)('accuracy over the recorded devices', async () => {
  const accuracy = present ? await measureAccuracy() : { checks: [] };
  if (present) console.log(`${accuracyTable(accuracy)}\n${missLines(accuracy).join('\n')}`);

  test.each(Object.entries(PROMISED))('%s is right for at least %d of 1', (area, promised) => {
    const { right, of } = share(accuracy, area);

    expect(of).toBeGreaterThan(0);
    expect(right / of, missLines(accuracy, area).join('\n')).toBeGreaterThanOrEqual(promised);
  });
});
