/**
 * Run in a network namespace by a test: asks one collector once and prints the observations as JSON, counters as text.
 * Standard input: `{collector, options, targets, haste}`.
 */
import { text } from 'node:stream/consumers';
import type { Clock, Collector, Target } from '#collectors/contract.ts';
import { createIcmpCollector } from '#collectors/icmp/collector.ts';
import { createTcpCollector } from '#collectors/tcp/collector.ts';
import { systemClock } from '#daemon/clock.ts';

interface Order {
  readonly collector: 'icmp' | 'tcp';
  readonly options?: Parameters<typeof createIcmpCollector>[0];
  readonly targets: readonly Target[];
  /** Time limits pass so many times as fast. */
  readonly haste?: number;
}

const { collector, options, targets, haste = 1 } = JSON.parse(await text(process.stdin)) as Order;
const asked: Collector = collector === 'icmp' ? createIcmpCollector(options) : createTcpCollector();
const clock: Clock = { ...systemClock, timeout: (duration) => AbortSignal.timeout(duration / haste) };
const context = { clock, signal: AbortSignal.timeout(30_000) };
const observations = await asked.collect('alive', targets, context);
await asked.close();
console.log(JSON.stringify(observations, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)));
