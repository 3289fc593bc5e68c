/** What a scan brought, device by device instead of address by address. Pure. */
import type { Problem } from '#collectors/contract.ts';
import type { Sighting } from '#collectors/discovery/scan.ts';
import { addressNumber } from '#config/ranges.ts';
import { type Distrusted, distrustedIn, type Evidence, type Group, grouped, joined } from './identity.ts';
import { evidenceOf } from './record.ts';

export interface Found {
  /** Lowest address first. */
  readonly sightings: readonly Sighting[];
  readonly evidence: Evidence;
  readonly doubts: Group<Sighting>['doubts'];
}

/** @param besides evidence of devices that were seen elsewhere at the same time */
export function found(sightings: readonly Sighting[], besides: readonly Evidence[] = []): readonly Found[] {
  return foundBy(sightings, distrustedIn([...evidences(sightings), ...besides]));
}

export function foundBy(sightings: readonly Sighting[], distrusted: Distrusted): readonly Found[] {
  const proxy = proxies(sightings);
  const evidence = new Map(sightings.map((sighting) => [sighting, withoutProxies(sighting, proxy)]));
  const of = (sighting: Sighting): Evidence => evidence.get(sighting) ?? {};
  return grouped(sightings, of, distrusted)
    .map(({ members, doubts }) => {
      const ordered = members.toSorted(byAddress);
      return { sightings: ordered, evidence: ordered.map(of).reduce(joined), doubts };
    })
    .toSorted((a, b) => byAddress(a.sightings[0], b.sightings[0]));
}

/** A device with more addresses than this is one that answers for others. */
const MOST_ADDRESSES = 32;

/** What answers for whole networks: a proxy, or a trap for scanners. It is found once, and told. */
export function crowds(all: readonly Found[]): readonly Problem[] {
  return all
    .filter(({ sightings }) => sightings.length > MOST_ADDRESSES)
    .map(({ sightings, evidence }) => ({
      code: 'DISCOVERY_ANSWERS_FOR_ALL',
      message: `${evidence.sysName ?? evidence.serial ?? 'one device'} answers at ${sightings.length} addresses, from ${sightings[0]?.address}`,
      hint: 'exclude the addresses that are not its own, under discovery.ranges[].exclude',
    }));
}

/** One evidence object per identity: what a tar pit says at ten thousand addresses is one thing to weigh. */
export function evidences(sightings: readonly Sighting[]): readonly Evidence[] {
  const known = new Map<string, Evidence>();
  const proxy = proxies(sightings);
  for (const sighting of sightings) {
    const evidence = withoutProxies(sighting, proxy);
    known.set(JSON.stringify(evidence), evidence);
  }
  return [...known.values()];
}

/** A physical address that answers for more than this many is a router or a tar pit, and says nothing of who is behind. */
const MOST_PER_MAC = 4;

function proxies(sightings: readonly Sighting[]): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const { mac, identity } of sightings)
    if (mac !== undefined && !identity?.macs?.includes(mac)) counts.set(mac, (counts.get(mac) ?? 0) + 1);
  return new Set([...counts].flatMap(([mac, count]) => (count > MOST_PER_MAC ? [mac] : [])));
}

function withoutProxies(sighting: Sighting, proxy: ReadonlySet<string>): Evidence {
  const { mac, identity } = sighting;
  return mac !== undefined && proxy.has(mac) ? evidenceOf({ ...(identity && { identity }) }) : evidenceOf(sighting);
}

function byAddress(a: Sighting | undefined, b: Sighting | undefined): number {
  if (!a || !b) return 0;
  const family = Number(a.address.includes(':')) - Number(b.address.includes(':'));
  return family || Number(addressNumber(a.address) - addressNumber(b.address));
}
