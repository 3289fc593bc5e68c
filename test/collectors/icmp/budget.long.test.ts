import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createIcmpCollector } from '#collectors/icmp/collector.ts';
import { systemClock } from '#daemon/clock.ts';
import { target } from '../../support/targets.ts';

const addresses = Array.from({ length: 10_000 }, (_, n) => `127.9.${Math.floor(n / 200)}.${1 + (n % 200)}`);
const targets = addresses.map((address, n) => target(`${n}`, address));
const context = () => ({ clock: systemClock, signal: AbortSignal.timeout(60_000) });

/** Seconds of processor time of this process and of its children that have ended (proc(5), stat). */
function processorTime(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ').map(Number) ?? [];
  return fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0) / 100;
}

async function bareFping(count: number): Promise<void> {
  const args = ['-q', '-C', '3', '-p', '500', '-t', '1000', '-i', '1', '-f', '-'];
  const child = spawn('fping', args, { stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin?.end(addresses.slice(0, count).join('\n'));
  await once(child, 'close');
}

test('ten thousand addresses are asked well inside a round of fifteen seconds, and none is lost', async () => {
  const collector = createIcmpCollector();
  const started = performance.now();

  const observations = await collector.collect('alive', targets, context());

  expect(performance.now() - started).toBeLessThan(12_000);
  expect(observations.filter(({ evidence }) => evidence.kind !== 'answered')).toEqual([]);
  await collector.close();
});

test('two thousand addresses cost at most half as much again as bare fping', async () => {
  const collector = createIcmpCollector();
  await collector.collect('alive', targets.slice(0, 2_000), context());
  const costs = { bare: 0, collector: 0 };

  for (let round = 0; round < 4; round += 1) {
    const start = processorTime();
    await bareFping(2_000);
    const between = processorTime();
    await collector.collect('alive', targets.slice(0, 2_000), context());
    costs.bare += between - start;
    costs.collector += processorTime() - between;
  }

  console.info('processor time of 8,000 addresses, in seconds', costs);
  expect(costs.collector / costs.bare).toBeLessThan(1.5);
  await collector.close();
});
