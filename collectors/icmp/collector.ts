import { isIP } from 'node:net';
import type {
  CollectContext,
  Collector,
  Evidence,
  Milliseconds,
  Monotonic,
  Observation,
  Question,
  Reading,
  ReadingGroup,
  Target,
} from '../contract.ts';
import { NO_LABELS } from '../labels.ts';
import { ownFaults } from './own-side.ts';
import { couldNotTell, type EchoResult } from './prober.ts';
import { findTool, type IcmpDescription, type IcmpOptions, type IcmpTool } from './tool.ts';

/** How long siteward makes do with ping, or with nothing, before it looks for fping again. */
const LOOK_AGAIN = 300_000 as Milliseconds;

/** Asks devices for echo replies. */
export interface IcmpCollector extends Collector {
  /** Which tool sends the echo requests, and why that one. Looks for it if it was not looked for yet. */
  describe(context: CollectContext): Promise<IcmpDescription>;
}

/** Echo requests by fping, by ping where fping is missing, and could-not-tell where both are. */
export function createIcmpCollector(options: IcmpOptions = {}): IcmpCollector {
  return new EchoCollector(options);
}

interface Counters {
  sent: bigint;
  received: bigint;
}

class EchoCollector implements IcmpCollector {
  readonly name = 'icmp';
  readonly questions: readonly Question[] = ['alive'];
  readonly #options: IcmpOptions;
  readonly #counters = new Map<string, Counters>();
  #tool: { readonly found: IcmpTool; readonly at: Monotonic } | undefined;

  constructor(options: IcmpOptions) {
    this.#options = options;
  }

  async collect(question: Question, targets: readonly Target[], context: CollectContext): Promise<Observation[]> {
    const { clock } = context;
    const started = clock.monotonicNow();
    const results = await this.#ask(targets, context);
    const end = { question, at: clock.wallNow(), took: (clock.monotonicNow() - started) as Milliseconds };
    const paid = new Set<string>();
    const observations: Observation[] = [];
    for (const target of targets) {
      const observation = this.#observe(target, results.get(target.address) ?? NO_ADDRESS, end);
      observations.push(paid.has(target.address) ? { ...observation, requests: 0, timeouts: 0 } : observation);
      paid.add(target.address);
    }
    return observations;
  }

  forget(device: string): void {
    this.#counters.delete(device);
  }

  async close(): Promise<void> {
    this.#counters.clear();
  }

  async describe(context: CollectContext): Promise<IcmpDescription> {
    return (await this.#findTool(context)).description;
  }

  /** Results by address: an address that two devices share is asked once. */
  async #ask(targets: readonly Target[], context: CollectContext): Promise<ReadonlyMap<string, EchoResult>> {
    const addresses = [...new Set(targets.map((target) => target.address))].filter((address) => isIP(address) !== 0);
    if (addresses.length === 0) return new Map();
    const { prober, description } = await this.#findTool(context);
    if (!prober) return new Map(addresses.map((address) => [address, noTool(description)]));

    const results = new Map(await prober.probe(addresses, context));
    // A tool that brought nothing at all may have been removed or replaced: next time it is looked for anew.
    if (![...results.values()].some((result) => result.kind === 'asked')) this.#tool = undefined;
    const silent = addresses.filter((address) => isSilent(results.get(address)));
    for (const [address, problem] of await ownFaults(silent)) results.set(address, { kind: 'could-not-tell', problem });
    return results;
  }

  async #findTool(context: CollectContext): Promise<IcmpTool> {
    const now = context.clock.monotonicNow();
    const known = this.#tool;
    if (known && (known.found.description.tool === 'fping' || now - known.at < LOOK_AGAIN)) return known.found;
    const found = await findTool(this.#options, context);
    // What was found while the round was being broken off may be wrong.
    if (!context.signal.aborted) this.#tool = { found, at: now };
    return found;
  }

  #observe(target: Target, result: EchoResult, end: Pick<Observation, 'question' | 'at' | 'took'>): Observation {
    const common = { device: target.name, collector: this.name, ...end };
    if (result.kind === 'could-not-tell') {
      const evidence: Evidence = { kind: 'could-not-tell', reason: result.problem.message };
      return { ...common, evidence, groups: [], problems: [result.problem], requests: 0, timeouts: 0 };
    }
    const { sent, roundTrips } = result;
    const evidence: Evidence = { kind: roundTrips.length > 0 ? 'answered' : 'silent' };
    const groups = [this.#readings(target.name, sent, roundTrips)];
    return { ...common, evidence, groups, problems: [], requests: sent, timeouts: sent - roundTrips.length };
  }

  #readings(device: string, sent: number, roundTrips: readonly Milliseconds[]): ReadingGroup {
    const counters = this.#counters.get(device) ?? { sent: 0n, received: 0n };
    counters.sent += BigInt(sent);
    counters.received += BigInt(roundTrips.length);
    this.#counters.set(device, counters);
    return {
      name: 'icmp',
      readings: [
        { metric: 'siteward_icmp_packets_sent_total', labels: NO_LABELS, value: counters.sent },
        { metric: 'siteward_icmp_packets_received_total', labels: NO_LABELS, value: counters.received },
        ...roundTripReadings(roundTrips),
      ],
    };
  }
}

const NO_ADDRESS = couldNotTell(
  'ICMP_NO_ADDRESS',
  'no IPv4 or IPv6 address is known for it',
  'check its address in the config, or why its name does not resolve',
);

function noTool(description: IcmpDescription): EchoResult {
  return couldNotTell('ICMP_NO_TOOL', description.why, description.hint ?? 'install fping');
}

function isSilent(result: EchoResult | undefined): boolean {
  return result?.kind === 'asked' && result.roundTrips.length === 0;
}

const STATS = (['min', 'mean', 'max'] as const).map((stat) => ({ stat }));

function roundTripReadings(roundTrips: readonly Milliseconds[]): Reading[] {
  if (roundTrips.length === 0) return [];
  const stats = {
    min: Math.min(...roundTrips),
    mean: roundTrips.reduce((sum, time) => sum + time, 0) / roundTrips.length,
    max: Math.max(...roundTrips),
  };
  return STATS.map((labels) => ({
    metric: 'siteward_icmp_rtt_seconds',
    labels,
    value: stats[labels.stat] / 1000,
  }));
}
