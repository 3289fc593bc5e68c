import type { MetricName } from '#collectors/catalogue.ts';
import type { Identity, Labels, Milliseconds, Observation, Reading, WallTime } from '#collectors/contract.ts';

export function reading(metric: MetricName, value: number | bigint, labels: Labels = {}): Reading {
  return { metric, value, labels };
}

/** What a collector hands on after one answered question. */
export function observation(
  device: string,
  at: number,
  readings: readonly Reading[],
  more: Partial<Observation> & { readonly identity?: Identity } = {},
): Observation {
  return {
    device,
    collector: 'snmp',
    question: 'metrics',
    at: at as WallTime,
    took: 5 as Milliseconds,
    evidence: { kind: 'answered' },
    groups: [{ name: 'readings', readings }],
    problems: [],
    requests: 1,
    timeouts: 0,
    ...more,
  };
}
