/**
 * The one place that says whether an address may be contacted. Everything in this folder that sends takes an
 * `AllowedAddress`, and only a gate makes one: what an ARP cache, a neighbour table, a name server or a scan claims gets
 * no packet unless it lies inside the configured ranges.
 */
import { type AddressRange, canonicalAddress, contains, readRange } from '#config/ranges.ts';

/** An address, in canonical form, that a gate let through. */
export type AllowedAddress = string & { readonly __allowed: true };

export interface GateRange {
  readonly range: AddressRange;
  readonly exclude: readonly AddressRange[];
}

/** Never a device: this network, multicast, reserved and the limited broadcast (RFC 6890), IPv6 multicast, `::`. */
const NEVER = ['0.0.0.0/8', '224.0.0.0/4', '240.0.0.0/4', 'ff00::/8', '::'].flatMap((text) => readRange(text) ?? []);

export class Gate<R extends GateRange = GateRange> {
  readonly ranges: readonly R[];
  readonly #never: ReadonlySet<string>;

  /** @param never further addresses that are no devices, such as the broadcast addresses of this machine's networks */
  constructor(ranges: readonly R[], never: Iterable<string> = []) {
    this.ranges = ranges;
    this.#never = new Set(never);
  }

  /** The address if it may be contacted: inside a range, and excluded by none of them. */
  allow(address: string): AllowedAddress | undefined {
    const canonical = canonicalAddress(address);
    if (canonical === undefined || this.#never.has(canonical)) return undefined;
    if (NEVER.some((range) => contains(range, canonical))) return undefined;
    const isInside = this.ranges.some(({ range }) => contains(range, canonical));
    const isExcluded = this.ranges.some(({ exclude }) => exclude.some((range) => contains(range, canonical)));
    return isInside && !isExcluded ? (canonical as AllowedAddress) : undefined;
  }

  /** The first range that the address lies in: its credentials and its rate apply. */
  rangeOf(address: AllowedAddress): R {
    const found = this.ranges.find(({ range }) => contains(range, address));
    if (!found) throw new Error(`${address} was let through by another gate`);
    return found;
  }
}
