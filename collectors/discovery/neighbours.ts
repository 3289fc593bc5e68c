/**
 * What routers and switches know of their neighbours: ARP and neighbour caches, bridge tables, LLDP and CDP. All of it is
 * hearsay: it names devices and guesses who is behind whom, and what it names is contacted only if the gate allows it.
 */
import { canonicalAddress } from '#config/ranges.ts';
import type { Agent, Oid, ReadResult, Varbind } from '../snmp/agent.ts';
import { tidy } from '../snmp/profile/text.ts';

export interface NeighbourTables {
  /** Address and physical address, as the device's caches have them. */
  readonly arp: readonly { readonly address: string; readonly mac: string }[];
  /** On which of the device's ports a physical address was seen. */
  readonly bridge: readonly { readonly mac: string; readonly port: string }[];
  readonly links: readonly NeighbourLink[];
}

/** A device that introduced itself to this one by LLDP or CDP. */
export interface NeighbourLink {
  readonly port: string;
  readonly sysName?: string;
  readonly mac?: string;
  readonly address?: string;
}

/** Columns, each with its clause. */
const ARP = '1.3.6.1.2.1.4.22.1.2'; // ipNetToMediaPhysAddress, RFC 4293
const NEIGHBOURS = '1.3.6.1.2.1.4.35.1.4'; // ipNetToPhysicalPhysAddress, RFC 4293
const BRIDGE = '1.3.6.1.2.1.17.4.3.1.2'; // dot1dTpFdbPort, RFC 4188
const VLAN_BRIDGE = '1.3.6.1.2.1.17.7.1.2.2.1.2'; // dot1qTpFdbPort, RFC 4363
const BASE_PORT = '1.3.6.1.2.1.17.1.4.1.2'; // dot1dBasePortIfIndex, RFC 4188
const IF_NAME = '1.3.6.1.2.1.31.1.1.1.1'; // RFC 2863
const LLDP_LOCAL_PORT = '1.0.8802.1.1.2.1.3.7.1.3'; // lldpLocPortId, IEEE 802.1AB
const LLDP = {
  chassisType: '1.0.8802.1.1.2.1.4.1.1.4',
  chassis: '1.0.8802.1.1.2.1.4.1.1.5',
  sysName: '1.0.8802.1.1.2.1.4.1.1.9',
};
/** The address is in the index: lldpRemManAddrIfSubtype. */
const LLDP_ADDRESS = '1.0.8802.1.1.2.1.4.2.1.3';
const CDP = { address: '1.3.6.1.4.1.9.9.23.1.2.1.1.4', deviceId: '1.3.6.1.4.1.9.9.23.1.2.1.1.6' };
const CHASSIS_IS_MAC = 4;

/** More than a site has; what is beyond is left out. */
const MOST_ROWS = 10_000;
const MOST_LINKS = 1_000;

/** @throws SnmpError when the agent gives no answer at all */
export async function readNeighbours(agent: Agent, signal: AbortSignal): Promise<NeighbourTables> {
  const result = await agent.read(
    {
      scalars: [],
      tables: [
        [ARP],
        [NEIGHBOURS],
        [BRIDGE],
        [VLAN_BRIDGE],
        [BASE_PORT],
        [IF_NAME],
        [LLDP_LOCAL_PORT],
        [LLDP.chassisType, LLDP.chassis, LLDP.sysName],
        [LLDP_ADDRESS],
        [CDP.address, CDP.deviceId],
      ],
    },
    signal,
  );
  return neighboursOf(result);
}

/** The tables in siteward's words. Pure: rows that make no sense are left out. */
export function neighboursOf(result: Pick<ReadResult, 'columns'>): NeighbourTables {
  const column = (oid: Oid) => result.columns.get(oid) ?? new Map<string, Varbind>();
  return {
    arp: unique([...arpRows(column(ARP)), ...neighbourRows(column(NEIGHBOURS))], (row) => `${row.address} ${row.mac}`),
    bridge: unique(
      [...bridgeRows(column(BRIDGE), column), ...bridgeRows(column(VLAN_BRIDGE), column)],
      (row) => `${row.mac} ${row.port}`,
    ),
    links: [...lldpLinks(column), ...cdpLinks(column)].slice(0, MOST_LINKS),
  };
}

type Columns = (oid: Oid) => ReadonlyMap<string, Varbind>;

function* arpRows(rows: ReadonlyMap<string, Varbind>): Generator<{ address: string; mac: string }> {
  for (const [index, value] of rows) {
    const mac = macOf(value);
    const address = canonicalAddress(index.split('.').slice(1).join('.'));
    if (mac !== undefined && address !== undefined) yield { address, mac };
  }
}

/** Index: ifIndex, type of address (1 IPv4, 2 IPv6), its length, its octets. */
function* neighbourRows(rows: ReadonlyMap<string, Varbind>): Generator<{ address: string; mac: string }> {
  for (const [index, value] of rows) {
    const mac = macOf(value);
    const [, type, length, ...octets] = index.split('.').map(Number);
    const address = length === octets.length ? addressOf(type, octets) : undefined;
    if (mac !== undefined && address !== undefined) yield { address, mac };
  }
}

function* bridgeRows(rows: ReadonlyMap<string, Varbind>, column: Columns): Generator<{ mac: string; port: string }> {
  const ifIndexes = column(BASE_PORT);
  const names = column(IF_NAME);
  for (const [index, { value }] of rows) {
    const mac = macText(index.split('.').slice(-6).map(Number));
    if (mac === undefined || typeof value !== 'number' || value === 0) continue;
    const ifIndex = ifIndexes.get(`${value}`)?.value;
    yield { mac, port: textOf(names.get(`${ifIndex ?? value}`)) ?? `port ${value}` };
  }
}

/** Index of a neighbour: time mark, local port, number. */
function* lldpLinks(column: Columns): Generator<NeighbourLink> {
  const addresses = new Map<string, string>();
  for (const index of column(LLDP_ADDRESS).keys()) {
    const [mark, local, number, type, length, ...octets] = index.split('.');
    const address =
      Number(length) === octets.length ? addressOf(Number(type), octets.map(Number)) : addressOf(Number(type), []);
    if (address !== undefined) addresses.set([mark, local, number].join('.'), address);
  }
  const types = column(LLDP.chassisType);
  const names = column(LLDP.sysName);
  for (const [index, chassis] of column(LLDP.chassis)) {
    const local = index.split('.')[1] ?? '';
    const mac = types.get(index)?.value === CHASSIS_IS_MAC ? macOf(chassis) : undefined;
    const sysName = textOf(names.get(index));
    const address = addresses.get(index);
    if (mac === undefined && sysName === undefined && address === undefined) continue;
    yield {
      port: textOf(column(LLDP_LOCAL_PORT).get(local)) ?? textOf(column(IF_NAME).get(local)) ?? `port ${local}`,
      ...(sysName !== undefined && { sysName }),
      ...(mac !== undefined && { mac }),
      ...(address !== undefined && { address }),
    };
  }
}

/** Index: ifIndex, number of the neighbour. */
function* cdpLinks(column: Columns): Generator<NeighbourLink> {
  for (const [index, value] of column(CDP.deviceId)) {
    const sysName = textOf(value);
    const octets = column(CDP.address).get(index)?.value;
    const address = octets instanceof Uint8Array ? addressOf(octets.length === 16 ? 2 : 1, [...octets]) : undefined;
    const local = index.split('.')[0] ?? '';
    if (sysName === undefined && address === undefined) continue;
    yield {
      port: textOf(column(IF_NAME).get(local)) ?? `port ${local}`,
      ...(sysName !== undefined && { sysName }),
      ...(address !== undefined && { address }),
    };
  }
}

function addressOf(type: number | undefined, octets: readonly number[]): string | undefined {
  if (!octets.every((octet) => octet >= 0 && octet <= 255)) return undefined;
  if (type === 1 && octets.length === 4) return canonicalAddress(octets.join('.'));
  if (type !== 2 || octets.length !== 16) return undefined;
  return canonicalAddress(
    Array.from({ length: 8 }, (_, index) =>
      ((octets[2 * index] ?? 0) * 256 + (octets[2 * index + 1] ?? 0)).toString(16),
    ).join(':'),
  );
}

function macOf({ value }: Varbind): string | undefined {
  return value instanceof Uint8Array ? macText([...value]) : undefined;
}

/** Undefined for what is no one's own address: zeros, broadcast, multicast. */
export function macText(octets: readonly number[]): string | undefined {
  if (octets.length !== 6 || !octets.every((octet) => Number.isInteger(octet) && octet >= 0 && octet <= 255))
    return undefined;
  if (((octets[0] ?? 1) & 1) === 1 || octets.every((octet) => octet === 0)) return undefined;
  return octets.map((octet) => octet.toString(16).padStart(2, '0')).join(':');
}

const NAME_LENGTH = 255;

function textOf(varbind: Varbind | undefined): string | undefined {
  if (!(varbind?.value instanceof Uint8Array)) return undefined;
  const text = tidy(new TextDecoder().decode(varbind.value)).slice(0, NAME_LENGTH);
  return text === '' ? undefined : text;
}

function unique<T>(rows: readonly T[], key: (row: T) => string): readonly T[] {
  return [...new Map(rows.slice(0, 2 * MOST_ROWS).map((row) => [key(row), row])).values()].slice(0, MOST_ROWS);
}
