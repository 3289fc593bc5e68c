import Counter from 'prom-client/lib/counter.js';
import Gauge from 'prom-client/lib/gauge.js';
import Histogram from 'prom-client/lib/histogram.js';
import heapSizeAndUsed from 'prom-client/lib/metrics/heapSizeAndUsed.js';
import heapSpacesSizeAndUsed from 'prom-client/lib/metrics/heapSpacesSizeAndUsed.js';
import osMemoryHeap from 'prom-client/lib/metrics/osMemoryHeap.js';
import processHandles from 'prom-client/lib/metrics/processHandles.js';
import processMaxFileDescriptors from 'prom-client/lib/metrics/processMaxFileDescriptors.js';
import processOpenFileDescriptors from 'prom-client/lib/metrics/processOpenFileDescriptors.js';
import processRequests from 'prom-client/lib/metrics/processRequests.js';
import processResources from 'prom-client/lib/metrics/processResources.js';
import processStartTime from 'prom-client/lib/metrics/processStartTime.js';
import nodeVersion from 'prom-client/lib/metrics/version.js';
import Registry from 'prom-client/lib/registry.js';
import type { Milliseconds, Observation } from '#collectors/contract.ts';
import type { Format } from './text.ts';

/** Gauges of prom-client whose names end like counters, which promtool rightly refuses. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];
/**
 * What prom-client tells of every process, but for what `#processorTime` and `#eventLoopLag` tell, and but for how long
 * each collection of garbage took: to hear of them, one a second, is a fiftieth of the main thread's time.
 */
const OF_EVERY_PROCESS = [
  processStartTime,
  osMemoryHeap,
  processOpenFileDescriptors,
  processMaxFileDescriptors,
  processResources,
  processHandles,
  processRequests,
  heapSizeAndUsed,
  heapSpacesSizeAndUsed,
  nodeVersion,
];

export interface OutputStatus {
  readonly output: string;
  readonly points: number;
  readonly bytes: number;
  /** Seconds since 1970; absent when the spool is empty. */
  readonly oldest?: number;
  /** Points since the first start, by what became of them. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Points ever handed to it: those written, on disk, in the quarantine and dropped, and no other. */
  readonly produced: number;
  readonly quarantined: number;
  /** Points since the first start, by why they were thrown away. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** OpenMetrics 1.0 names the family of a counter without the `_total` of its samples, and knows no empty lines. */
function asOpenMetrics(text: string): string {
  const counters = new Set([...text.matchAll(/^# TYPE (\S+)_total counter$/gm)].map(([, family]) => family));
  return text
    .replace(/^# (HELP|TYPE) (\S+)_total (.*)$/gm, (line, keyword, family, rest) =>
      counters.has(family) ? `# ${keyword} ${family} ${rest}` : line,
    )
    .replace(/\n{2,}/g, '\n');
}

/** What the daemon says about itself, beside the devices. Few series, so prom-client's own rendering is fast enough. */
export class SelfMetrics {
  readonly #registry = new Registry();
  readonly #pollDuration: Histogram<'collector'>;
  readonly #pollFailures: Counter<'collector' | 'reason'>;
  readonly #snmpRequests: Counter;
  readonly #snmpTimeouts: Counter;
  readonly #lag: Histogram;
  readonly #missed: Counter;
  readonly #reloaded: Gauge;
  readonly #devices: Gauge;

  constructor(version: string, outputs: () => readonly OutputStatus[]) {
    const registers = [this.#registry];
    for (const collect of OF_EVERY_PROCESS) collect(this.#registry);
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
    this.#processorTime();
    this.#eventLoopLag();
    new Gauge({
      name: 'siteward_build_info',
      help: 'The version of siteward and of Node.js; always 1.',
      labelNames: ['version', 'node'],
      registers,
    }).set({ version, node: process.version }, 1);
    this.#reloaded = new Gauge({
      name: 'siteward_config_last_reload_successful',
      help: '1 if the last reading of the config was good.',
      registers,
    });
    this.#devices = new Gauge({ name: 'siteward_devices', help: 'Devices that are watched.', registers });
    this.#pollDuration = new Histogram({
      name: 'siteward_poll_duration_seconds',
      help: 'How long one question to one device took.',
      labelNames: ['collector'],
      buckets: [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30],
      registers,
    });
    this.#pollFailures = new Counter({
      name: 'siteward_poll_failures_total',
      help: 'Questions that brought no answer.',
      labelNames: ['collector', 'reason'],
      registers,
    });
    this.#snmpRequests = new Counter({ name: 'siteward_snmp_requests_total', help: 'SNMP requests sent.', registers });
    this.#snmpTimeouts = new Counter({
      name: 'siteward_snmp_timeouts_total',
      help: 'SNMP requests that nobody answered in time.',
      registers,
    });
    this.#lag = new Histogram({
      name: 'siteward_scheduler_lag_seconds',
      help: 'How much later than planned a cycle started.',
      buckets: [0.005, 0.02, 0.05, 0.25, 1, 5, 30],
      registers,
    });
    this.#missed = new Counter({
      name: 'siteward_scheduler_missed_cycles_total',
      help: 'Cycles left out because the one before took too long.',
      registers,
    });
    this.#outputMetrics(outputs);
  }

  polled({ collector, took, evidence, problems, requests, timeouts }: Observation): void {
    this.#pollDuration.observe({ collector }, took / 1000);
    if (collector === 'snmp') {
      this.#snmpRequests.inc(requests);
      this.#snmpTimeouts.inc(timeouts);
    }
    if (evidence.kind !== 'answered') this.#pollFailures.inc({ collector, reason: problems[0]?.code ?? evidence.kind });
  }

  started(late: Milliseconds): void {
    this.#lag.observe(late / 1000);
  }

  missed(_lane: string, cycles: number): void {
    this.#missed.inc(cycles);
  }

  reloaded(good: boolean): void {
    this.#reloaded.set(good ? 1 : 0);
  }

  watching(devices: number): void {
    this.#devices.set(devices);
  }

  /**
   * prom-client is only ever asked for text: rendering OpenMetrics once takes the `_total` off the names of its counters,
   * and every text after that would lack it.
   */
  async render(format: Format): Promise<string> {
    const text = await this.#registry.metrics();
    return format === 'openmetrics' ? asOpenMetrics(text) : text;
  }

  /** Three counters for which prom-client would load the API of OpenTelemetry, fifty files. */
  #processorTime(): void {
    const registers = [this.#registry];
    let last = process.cpuUsage();
    // It is asked first, and so sets all three.
    const user: Counter = new Counter({
      name: 'process_cpu_user_seconds_total',
      help: 'Total user CPU time spent in seconds.',
      registers,
      collect: () => {
        const now = process.cpuUsage();
        const [inUser, inSystem] = [(now.user - last.user) / 1e6, (now.system - last.system) / 1e6];
        last = now;
        user.inc(inUser);
        system.inc(inSystem);
        total.inc(inUser + inSystem);
      },
    });
    const system = new Counter({
      name: 'process_cpu_system_seconds_total',
      help: 'Total system CPU time spent in seconds.',
      registers,
    });
    const total = new Counter({
      name: 'process_cpu_seconds_total',
      help: 'Total user and system CPU time spent in seconds.',
      registers,
    });
  }

  /**
   * How late the loop was at the scrape before. prom-client's own wakes the process a hundred times a second to tell it in
   * percentiles, a sixth of all that siteward costs, which hold the ten milliseconds of their own timer;
   * `siteward_scheduler_lag_seconds` tells that better.
   */
  #eventLoopLag(): void {
    const lag: Gauge = new Gauge({
      name: 'nodejs_eventloop_lag_seconds',
      help: 'Lag of event loop in seconds.',
      registers: [this.#registry],
      collect: () => {
        const start = performance.now();
        setImmediate(() => lag.set((performance.now() - start) / 1000));
      },
    });
  }

  /** prom-client collects all of them in one turn of the loop, so that their sums hold in every scrape. */
  #outputMetrics(outputs: () => readonly OutputStatus[]): void {
    const registers = [this.#registry];
    const labelNames = ['output'];
    new Gauge({
      name: 'siteward_spool_points',
      help: 'Points on disk that an output has not taken yet.',
      labelNames,
      registers,
      collect: eachOutput(({ points }) => points),
    });
    new Gauge({
      name: 'siteward_spool_bytes',
      help: 'Bytes on disk that an output has not taken yet.',
      labelNames,
      registers,
      collect: eachOutput(({ bytes }) => bytes),
    });
    new Gauge({
      name: 'siteward_spool_quarantined_points',
      help: 'Points on disk that a receiver refused, until they are retried or dropped by hand.',
      labelNames,
      registers,
      collect: eachOutput(({ quarantined }) => quarantined),
    });
    new Gauge({
      name: 'siteward_spool_oldest_timestamp_seconds',
      help: 'Time of the oldest point on disk.',
      labelNames,
      registers,
      collect: eachOutput(({ oldest }) => oldest),
    });
    new Counter({
      name: 'siteward_output_points_total',
      help: 'Points by what became of them.',
      labelNames: ['output', 'outcome'],
      registers,
      collect() {
        this.reset();
        for (const { output, outcomes } of outputs())
          for (const [outcome, points] of Object.entries(outcomes)) this.inc({ output, outcome }, points);
      },
    });
    new Counter({
      name: 'siteward_output_points_produced_total',
      help: 'Points handed to an output: written + on disk + in the quarantine + dropped.',
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { output, produced } of outputs()) this.inc({ output }, produced);
      },
    });
    new Counter({
      name: 'siteward_output_points_dropped_total',
      help: 'Points that were thrown away, by why.',
      labelNames: ['output', 'reason'],
      registers,
      collect() {
        this.reset();
        for (const { output, dropped } of outputs())
          for (const [reason, points] of Object.entries(dropped)) this.inc({ output, reason }, points);
      },
    });

    function eachOutput(pick: (status: OutputStatus) => number | undefined) {
      return function (this: Gauge<string>): void {
        this.reset();
        for (const status of outputs()) {
          const value = pick(status);
          if (value !== undefined) this.set({ output: status.output }, value);
        }
      };
    }
  }
}
