/**
 * Behind which device each one seems to be, from what switches and routers know of their neighbours. Guesses, shown as
 * such until a person confirms them. Pure.
 */
import type { NeighbourTables } from '#collectors/discovery/neighbours.ts';
import type { DeviceRecord, ParentGuess } from './record.ts';

export interface Topology {
  readonly records: readonly DeviceRecord[];
  /** By record: what it told of its neighbours. */
  readonly tables: ReadonlyMap<string, NeighbourTables>;
  /** The address of this machine's own gateway. */
  readonly gateway: string | undefined;
}

interface Link {
  readonly from: string;
  readonly to: string;
  readonly port: string;
}

/** A guess for each record that there is one for. */
export function parentGuesses({ records, tables, gateway }: Topology): ReadonlyMap<string, ParentGuess> {
  const live = records.filter(({ state, addresses }) => state !== 'joined' && addresses.length > 0);
  const links = linksBetween(live, tables);
  const root = rootOf(live, gateway);
  const depth = depths(links, root?.id);
  const guesses = new Map<string, ParentGuess>();
  for (const record of live) {
    if (record === root) continue;
    const guess = byLink(record, links, depth) ?? byBridge(record, { tables, links, depth });
    if (guess) guesses.set(record.id, guess);
    else if (root && sharesRange(record, root)) guesses.set(record.id, { device: root.id, by: 'gateway' });
  }
  return guesses;
}

/** Both ends may tell of a link: it is one. */
function linksBetween(records: readonly DeviceRecord[], tables: Topology['tables']): readonly Link[] {
  const byMac = new Map(
    records.flatMap((record) => (record.evidence.macs ?? []).map((mac) => [mac, record.id] as const)),
  );
  const byName = new Map(
    records.flatMap(({ evidence, id }) => (evidence.sysName ? [[evidence.sysName, id] as const] : [])),
  );
  const byAddress = new Map(records.flatMap(({ addresses, id }) => addresses.map((address) => [address, id] as const)));
  return [...tables].flatMap(([from, { links }]) =>
    links.flatMap(({ port, mac, sysName, address }): Link[] => {
      const to = byMac.get(mac ?? '') ?? byAddress.get(address ?? '') ?? byName.get(sysName ?? '');
      return to === undefined || to === from ? [] : [{ from, to, port }];
    }),
  );
}

/** The way out: our own gateway, else the only firewall. */
function rootOf(records: readonly DeviceRecord[], gateway: string | undefined): DeviceRecord | undefined {
  const own = records.find(({ addresses }) => gateway !== undefined && addresses.includes(gateway));
  if (own) return own;
  const firewalls = records.filter(({ identity }) => identity?.class === 'firewall');
  return firewalls.length === 1 ? firewalls[0] : undefined;
}

/** Links away from the root, by device. */
function depths(links: readonly Link[], root: string | undefined): ReadonlyMap<string, number> {
  const depth = new Map<string, number>(root === undefined ? [] : [[root, 0]]);
  for (let changed = true; changed; ) {
    changed = false;
    for (const { from, to } of links)
      for (const [near, far] of [
        [from, to],
        [to, from],
      ] as const) {
        const through = (depth.get(near) ?? Number.POSITIVE_INFINITY) + 1;
        if (through < (depth.get(far) ?? Number.POSITIVE_INFINITY)) {
          depth.set(far, through);
          changed = true;
        }
      }
  }
  return depth;
}

/** The neighbour nearer to the root; where nothing tells which is nearer, whoever told of it. */
function byLink(
  record: DeviceRecord,
  links: readonly Link[],
  depth: ReadonlyMap<string, number>,
): ParentGuess | undefined {
  const own = depth.get(record.id);
  const neighbours = links.flatMap(({ from, to, port }): { device: string; port: string | undefined }[] => {
    if (to === record.id) return [{ device: from, port }];
    return from === record.id ? [{ device: to, port: undefined }] : [];
  });
  const far = Number.POSITIVE_INFINITY;
  const nearer = neighbours.filter(({ device, port }) =>
    own === undefined ? port !== undefined && !isInfrastructure(record) : (depth.get(device) ?? far) < own,
  );
  const best = nearer.toSorted(
    (a, b) =>
      (depth.get(a.device) ?? far) - (depth.get(b.device) ?? far) ||
      Number(a.port === undefined) - Number(b.port === undefined) ||
      a.device.localeCompare(b.device),
  )[0];
  return best && { device: best.device, by: 'lldp', ...(best.port !== undefined && { port: best.port }) };
}

/** A switch sees a device on many ports' worth of uplinks and on one of its own: the port with the fewest others is it. */
function byBridge(
  record: DeviceRecord,
  { tables, links, depth }: { tables: Topology['tables']; links: readonly Link[]; depth: ReadonlyMap<string, number> },
): ParentGuess | undefined {
  const macs = new Set(record.evidence.macs ?? []);
  const seen = [...tables].flatMap(([device, { bridge }]) => {
    if (device === record.id) return [];
    const uplinks = new Set(links.flatMap(({ from, port }) => (from === device ? [port] : [])));
    const ports = Map.groupBy(bridge, ({ port }) => port);
    return [...new Set(bridge.flatMap(({ mac, port }) => (macs.has(mac) && !uplinks.has(port) ? [port] : [])))].map(
      (port) => ({
        device,
        port,
        others: ports.get(port)?.length ?? 0,
      }),
    );
  });
  const best = seen.toSorted(
    (a, b) =>
      a.others - b.others ||
      (depth.get(b.device) ?? 0) - (depth.get(a.device) ?? 0) ||
      a.device.localeCompare(b.device),
  )[0];
  return best && !isInfrastructure(record) ? { device: best.device, by: 'bridge', port: best.port } : undefined;
}

function isInfrastructure({ identity }: DeviceRecord): boolean {
  return identity?.class === 'switch' || identity?.class === 'firewall';
}

function sharesRange(a: DeviceRecord, b: DeviceRecord): boolean {
  return a.range !== undefined && a.range === b.range;
}
