/**
 * One scan of ranges: sweep, SNMP, neighbour tables, names, ports, slice by slice. It says what was seen at which address
 * and leaves to others what that means: the inventory decides which device it is.
 */
import { type AddressRange, contains, isSwept, slices } from '#config/ranges.ts';
import type { Credential } from '#config/schema.ts';
import type { Clock, Identity, Problem, WallTime } from '../contract.ts';
import { defaultSearchPath } from '../icmp/child.ts';
import { findExecutable } from '../icmp/tool.ts';
import { SnmpError } from '../snmp/errors.ts';
import type { ProfileLibrary } from '../snmp/profile/library.ts';
import type { AllowedAddress, Gate, GateRange } from './gate.ts';
import { type NameHint, nameHints } from './names.ts';
import { type NeighbourTables, readNeighbours } from './neighbours.ts';
import { type OpenPort, scanPorts } from './nmap.ts';
import { ownArpCache } from './own-network.ts';
import { type SnmpFinding, SnmpProbe } from './snmp-probe.ts';
import { sweep } from './sweep.ts';
import type { Tries } from './tries.ts';

export interface ScanRange extends GateRange {
  readonly credentials: readonly Credential[];
  readonly maxPacketsPerSecond: number;
  /** UDP port of its agents; 161 where nothing is said. */
  readonly port?: number;
  /** Whether nmap may look at the ports of what stays unknown. */
  readonly nmap: boolean;
}

/** What was seen at one address. */
export interface Sighting {
  readonly address: AllowedAddress;
  readonly at: WallTime;
  /** Whether it answered an echo request. */
  readonly echo: boolean;
  readonly agent: SnmpFinding['agent'];
  readonly snmpPort: number;
  readonly identity?: Identity;
  /** Name and version of the credential that worked. */
  readonly credential?: { readonly name: string; readonly version: Credential['version'] };
  /** Physical address by which this machine or a router reaches it. Absent where several were seen. */
  readonly mac?: string;
  readonly names: readonly NameHint[];
  readonly ports: readonly OpenPort[];
  readonly neighbours?: NeighbourTables;
  /** Why an agent that is there could not be read. */
  readonly problem?: Problem;
}

/** Where a scan is, to show it and to go on after a stop. */
export interface ScanProgress {
  /** Addresses done, and in all. */
  readonly done: number;
  readonly total: number;
  /** Devices that said who they are, so far. */
  readonly found: number;
  readonly packets: number;
  /** Slices of the scan that are done: what `firstSlice` of a scan that goes on is. */
  readonly slices: number;
}

export interface ScanOptions {
  readonly clock: Clock;
  readonly profiles: ProfileLibrary;
  /** What may be contacted at all. */
  readonly gate: Gate<ScanRange>;
  /** What of it is scanned now. */
  readonly targets: readonly AddressRange[];
  readonly tries: Tries;
  /** UDP port of all agents, whatever their ranges say. */
  readonly port?: number;
  /** The credential that worked for the device that is known at this address, if it is still the one there. */
  readonly sticky?: (address: string, mac: string | undefined) => string | undefined;
  /**
   * Addresses that are known already and asked besides: routers whose neighbour tables name devices of a range that cannot
   * be swept, and the devices known there. Each is asked with what its own range offers.
   */
  readonly known?: readonly string[];
  /** Slices to pass over: done by a scan that was stopped. */
  readonly firstSlice?: number;
  readonly onProgress?: (progress: ScanProgress) => void;
  /** Called with what each slice brought, before the next begins. */
  readonly onSlice?: (sightings: readonly Sighting[], progress: ScanProgress) => Promise<void> | void;
  /** Left out: looked for on the path. */
  readonly nmapPath?: string;
}

export interface ScanResult {
  readonly sightings: readonly Sighting[];
  readonly packets: number;
  readonly problems: readonly Problem[];
  /** False where the scan was stopped before its end. */
  readonly complete: boolean;
}

/** Agents read at once: each waits for packets most of the time. */
const READS_AT_ONCE = 160;
/** Silent addresses asked at once: the rate and the wait for an answer come to about as many at the default rate. */
const KNOCKS_AT_ONCE = 400;

/** Never throws for what it meets on the network; stops at once when the signal aborts, with what it has. */
export async function scan(options: ScanOptions, signal: AbortSignal): Promise<ScanResult> {
  const run = new Scan(options, signal);
  try {
    return await run.result();
  } finally {
    await run.close();
  }
}

class Scan {
  readonly #options: ScanOptions;
  readonly #signal: AbortSignal;
  readonly #sightings = new Map<AllowedAddress, Sighting>();
  readonly #problems = new Map<string, Problem>();
  readonly #probes = new Map<ScanRange, SnmpProbe>();
  readonly #refusals = new Map<string, number>();
  readonly #identities = new Map<string, Identity>();
  #echoPackets = 0;
  #namePackets = 0;
  #done = 0;

  constructor(options: ScanOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async result(): Promise<ScanResult> {
    const { gate, targets, firstSlice = 0, onSlice } = this.#options;
    const pieces = distinctSlices(targets).map((piece) => piece.flatMap((address) => gate.allow(address) ?? []));
    const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#done = pieces.slice(0, firstSlice).reduce((sum, piece) => sum + piece.length, 0);
    let finished = firstSlice;
    const progress = (): ScanProgress => ({
      done: this.#done,
      total,
      found: this.#sightings.values().reduce((sum, { identity }) => sum + (identity ? 1 : 0), 0),
      packets: this.packets,
      slices: finished,
    });
    this.#options.onProgress?.(progress());
    for (const piece of pieces.slice(firstSlice)) {
      const before = new Set(this.#sightings.keys());
      for (const [range, addresses] of Map.groupBy(piece, (address) => gate.rangeOf(address))) {
        if (this.#signal.aborted) break;
        await this.#slice(range, addresses, () => this.#options.onProgress?.(progress()));
      }
      if (this.#signal.aborted) break;
      finished += 1;
      await onSlice?.(
        [...this.#sightings.values()].filter(({ address }) => !before.has(address)),
        progress(),
      );
    }
    if (!this.#signal.aborted) await this.#known(onSlice, progress);
    if (!this.#signal.aborted) await this.#heardOf(onSlice, progress);
    this.#options.onProgress?.(progress());
    return {
      sightings: [...this.#sightings.values()],
      packets: this.packets,
      problems: [...this.#problems.values()],
      complete: !this.#signal.aborted,
    };
  }

  get packets(): number {
    const snmp = [...this.#probes.values()].reduce((sum, probe) => sum + probe.packets, 0);
    return this.#echoPackets + this.#namePackets + snmp;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#probes.values()].map((probe) => probe.close()));
  }

  async #slice(range: ScanRange, addresses: readonly AllowedAddress[], tick: () => void): Promise<void> {
    const alive = await this.#sweep(range, addresses);
    tick();
    await this.#ask(range, addresses, alive, tick);
    if (this.#signal.aborted) return;
    await this.#name(range, addresses);
    await this.#ports(range, addresses);
  }

  async #sweep(range: ScanRange, addresses: readonly AllowedAddress[]): Promise<ReadonlySet<AllowedAddress>> {
    const { clock } = this.#options;
    const fping = await findExecutable('fping', defaultSearchPath());
    if (fping === undefined) {
      this.#problem({
        code: 'DISCOVERY_NO_FPING',
        message: 'fping is not installed, so only what answers SNMP is found',
        hint: 'install it, for example: apt-get install fping',
      });
      return new Set();
    }
    const result = await sweep(
      addresses,
      { fping, packetsPerSecond: range.maxPacketsPerSecond },
      { clock, signal: this.#signal },
    );
    this.#echoPackets += result.packets;
    if (result.problem && !this.#signal.aborted) this.#problem(result.problem);
    return result.alive;
  }

  /** SNMP of those that answered first, then a gentle knock at those that did not. */
  async #ask(
    range: ScanRange,
    addresses: readonly AllowedAddress[],
    alive: ReadonlySet<AllowedAddress>,
    tick: () => void,
  ): Promise<void> {
    const arp = await ownArpCache();
    const probe = this.#probe(range);
    const one = async (address: AllowedAddress): Promise<void> => {
      await this.#askOne(address, { range, probe, echo: alive.has(address), mac: arp.macs.get(address) });
      this.#done += 1;
      tick();
    };
    const answering = addresses.filter((address) => alive.has(address));
    const silent = addresses.filter((address) => !alive.has(address) && !arp.nobody.has(address));
    this.#done += addresses.length - answering.length - silent.length;
    probe.expect('answering');
    await inLanes(answering, READS_AT_ONCE, one, this.#signal);
    probe.expect('silent');
    await inLanes(silent, KNOCKS_AT_ONCE, one, this.#signal);
    probe.forget(addresses);
  }

  async #askOne(
    address: AllowedAddress,
    { range, probe, echo, mac }: { range: ScanRange; probe: SnmpProbe; echo: boolean; mac: string | undefined },
  ): Promise<void> {
    try {
      const sticky = this.#options.sticky?.(address, mac);
      const finding = await probe.probe(
        address,
        { credentials: range.credentials, sticky, isThere: echo || mac !== undefined },
        this.#signal,
      );
      // A complete entry in the ARP cache is an answer of the machine itself, whatever its firewall does with the rest.
      if (!echo && mac === undefined && finding.agent !== 'answered' && finding.agent !== 'refused') return;
      const neighbours = await this.#neighbours(address, finding, probe);
      const { identity, credential, error } = finding;
      this.#sightings.set(address, {
        address,
        at: this.#options.clock.wallNow(),
        echo,
        agent: finding.agent,
        snmpPort: this.#port(range),
        names: [],
        ports: [],
        ...(identity && { identity: this.#shared(identity) }),
        ...(credential && { credential: { name: credential.name, version: credential.version } }),
        ...(mac !== undefined && { mac }),
        ...(neighbours && { neighbours }),
        ...(error && finding.agent !== 'silent' && { problem: asProblem(error) }),
      });
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    }
  }

  /** One object for what a tar pit says at each of ten thousand addresses. */
  #shared(identity: Identity): Identity {
    const key = JSON.stringify(identity);
    const known = this.#identities.get(key);
    if (known) return known;
    this.#identities.set(key, identity);
    return identity;
  }

  async #neighbours(
    address: AllowedAddress,
    { identity, credential }: SnmpFinding,
    probe: SnmpProbe,
  ): Promise<NeighbourTables | undefined> {
    if (!identity || !credential || (identity.class !== 'firewall' && identity.class !== 'switch')) return undefined;
    if (this.#identities.has(JSON.stringify(identity))) return undefined;
    try {
      return await readNeighbours(probe.agent(address, credential), this.#signal);
    } catch (error) {
      if (error instanceof SnmpError) return undefined;
      throw error;
    }
  }

  async #name(range: ScanRange, addresses: readonly AllowedAddress[]): Promise<void> {
    const { clock, gate } = this.#options;
    // A device that told its own name by SNMP needs no hint.
    const nameless = addresses.filter((address) => {
      const sighting = this.#sightings.get(address);
      return sighting && sighting.identity?.sysName === undefined;
    });
    if (nameless.length === 0) return;
    const { hints, packets } = await nameHints(
      nameless,
      { clock, gate, packetsPerSecond: range.maxPacketsPerSecond },
      this.#signal,
    );
    this.#namePackets += packets;
    for (const [address, names] of hints) this.#amend(address, { names });
  }

  async #ports(range: ScanRange, addresses: readonly AllowedAddress[]): Promise<void> {
    const unknown = addresses.filter((address) => {
      const sighting = this.#sightings.get(address);
      return sighting && !sighting.identity;
    });
    if (!range.nmap || unknown.length === 0 || this.#signal.aborted) return;
    const { clock, nmapPath } = this.#options;
    const { hosts, problem } = await scanPorts(
      unknown,
      { packetsPerSecond: range.maxPacketsPerSecond, ...(nmapPath === undefined ? {} : { nmapPath }) },
      { clock, signal: this.#signal },
    );
    for (const [address, ports] of hosts) this.#amend(address, { ports });
    if (problem && !this.#signal.aborted) this.#problem(problem);
  }

  async #known(onSlice: ScanOptions['onSlice'], progress: () => ScanProgress): Promise<void> {
    const { gate, known = [] } = this.#options;
    const allowed = new Set(known.flatMap((address) => gate.allow(address) ?? []));
    const addresses = [...allowed].filter((address) => !this.#sightings.has(address));
    await this.#askBesides(addresses);
    const seen = addresses.flatMap((address) => this.#sightings.get(address) ?? []);
    if (seen.length > 0) await onSlice?.(seen, progress());
  }

  /** Addresses that are no part of what is swept, and of its progress. */
  async #askBesides(addresses: readonly AllowedAddress[]): Promise<void> {
    for (const [range, own] of Map.groupBy(addresses, (address) => this.#options.gate.rangeOf(address))) {
      if (this.#signal.aborted) return;
      const alive = await this.#sweep(range, own);
      await this.#ask(range, own, alive, () => {});
      this.#done -= own.length;
      await this.#name(range, own);
    }
  }

  /** Addresses that only others know of, such as IPv6 neighbours, and physical addresses beyond our own network. */
  async #heardOf(onSlice: ScanOptions['onSlice'], progress: () => ScanProgress): Promise<void> {
    const { gate, targets } = this.#options;
    const macs = new Map<AllowedAddress, Set<string>>();
    const heard = [...this.#sightings.values()].flatMap(({ neighbours }) => [
      ...(neighbours?.arp ?? []),
      ...(neighbours?.links ?? []),
    ]);
    for (const { address: written, mac } of heard) {
      const address = written === undefined ? undefined : gate.allow(written);
      if (address === undefined) continue;
      const known = macs.get(address) ?? new Set();
      if (mac !== undefined) known.add(mac);
      macs.set(address, known);
    }
    const fresh = [...macs.keys()].filter(
      (address) =>
        !this.#sightings.has(address) && targets.some((target) => !isSwept(target) && contains(target, address)),
    );
    await this.#askBesides(fresh);
    const learnt: Sighting[] = [];
    for (const [address, seen] of macs) {
      const [mac] = seen;
      const sighting = this.#sightings.get(address);
      if (!sighting) continue;
      // Two physical addresses at one address: a duplicate, or a change under way. Neither is evidence.
      if (seen.size === 1 && sighting.mac === undefined && mac !== undefined) this.#amend(address, { mac });
      const amended = this.#sightings.get(address);
      if (amended && (amended !== sighting || fresh.includes(address))) learnt.push(amended);
    }
    if (learnt.length > 0) await onSlice?.(learnt, progress());
  }

  #amend(address: AllowedAddress, more: Partial<Sighting>): void {
    const sighting = this.#sightings.get(address);
    if (sighting) this.#sightings.set(address, { ...sighting, ...more });
  }

  #problem(problem: Problem): void {
    this.#problems.set(problem.code, problem);
  }

  #port(range: ScanRange): number {
    return this.#options.port ?? range.port ?? 161;
  }

  #probe(range: ScanRange): SnmpProbe {
    let probe = this.#probes.get(range);
    if (!probe) {
      const { clock, profiles, tries } = this.#options;
      probe = new SnmpProbe({
        clock,
        profiles,
        tries,
        port: this.#port(range),
        packetsPerSecond: range.maxPacketsPerSecond,
        refusals: this.#refusals,
      });
      this.#probes.set(range, probe);
    }
    return probe;
  }
}

/** Each address once, although ranges may overlap. */
function distinctSlices(targets: readonly AddressRange[]): readonly (readonly string[])[] {
  const seen = new Set<string>();
  return targets.flatMap(slices).map((piece) =>
    piece.filter((address) => {
      const isNew = !seen.has(address);
      seen.add(address);
      return isNew;
    }),
  );
}

async function inLanes<T>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const waiting = items.values();
  const lane = async (): Promise<void> => {
    for (const item of waiting) {
      if (signal.aborted) return;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
}

function asProblem({ code, message, hint }: SnmpError): Problem {
  return { code, message, hint };
}
