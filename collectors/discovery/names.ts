/**
 * Hints for names: reverse DNS from name servers inside the ranges, and mDNS asked of each device itself by unicast
 * (RFC 6762, section 5.5), since the multicast group is no address inside a range. Hints name a device; they never say
 * who it is.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { getServers, Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import type { Clock, Milliseconds } from '../contract.ts';
import { tidy } from '../snmp/profile/text.ts';
import { TokenBucket } from '../snmp/token-bucket.ts';
import { ptrQuery, ptrRecords, reverseName } from './dns-message.ts';
import type { AllowedAddress, Gate } from './gate.ts';

export interface NameHint {
  readonly from: 'dns' | 'mdns' | 'dns-sd';
  readonly name: string;
}

export interface NameHints {
  readonly hints: ReadonlyMap<AllowedAddress, readonly NameHint[]>;
  readonly packets: number;
}

export interface NameOptions {
  readonly clock: Clock;
  readonly gate: Gate;
  readonly packetsPerSecond: number;
  /** Left out: those of this machine. Only those inside the ranges are asked. */
  readonly nameServers?: readonly string[];
  /** Left out: 5353. */
  readonly mdnsPort?: number;
}

const DNS_TIMEOUT = 1_000;
/** Responders wait up to 120 ms (RFC 6762, section 6). */
const MDNS_WAIT = 500 as Milliseconds;
const MDNS_PORT = 5_353;
/** What printers, file servers and workstations announce (RFC 6763): the instance's name is what people call them. */
const SERVICES = ['_ipp', '_pdl-datastream', '_printer', '_smb', '_workstation', '_http'].map(
  (service) => `${service}._tcp.local`,
);
const MOST_HINTS = 8;
const MOST_REPLIES = 8;
/** Labels as hosts have them; what else comes is no name to show or to make one from. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$/i;

/** Asks for the names of these addresses. Never throws: no name is an answer too. */
export async function nameHints(
  addresses: readonly AllowedAddress[],
  options: NameOptions,
  signal: AbortSignal,
): Promise<NameHints> {
  const hints = new Map<AllowedAddress, NameHint[]>();
  const add = (address: AllowedAddress, from: NameHint['from'], name: string) => {
    const plain = from === 'dns-sd' ? tidy(name).slice(0, 63) : name.replace(/\.$/, '');
    const list = hints.get(address) ?? [];
    if (
      plain === '' ||
      (from !== 'dns-sd' && !HOST_NAME.test(plain)) ||
      list.length >= MOST_HINTS ||
      list.some((hint) => hint.name === plain)
    )
      return;
    hints.set(address, [...list, { from, name: plain }]);
  };
  const ipv4 = addresses.filter(isIPv4);
  const bucket = new TokenBucket(options.clock, options.packetsPerSecond);
  const turn = () =>
    new Promise<boolean>((resolve) =>
      bucket.wait(() => {
        resolve(!signal.aborted);
        return true;
      }),
    );
  const packets = (await reverseDns(ipv4, options, turn, add)) + (await multicastDns(ipv4, options, turn, add, signal));
  return { hints, packets };
}

type Add = (address: AllowedAddress, from: NameHint['from'], name: string) => void;
type Turn = () => Promise<boolean>;

async function reverseDns(
  addresses: readonly AllowedAddress[],
  { gate, nameServers = getServers() }: NameOptions,
  turn: Turn,
  add: Add,
): Promise<number> {
  const servers = nameServers.filter((server) => gate.allow(server) !== undefined);
  if (servers.length === 0 || addresses.length === 0) return 0;
  const resolver = new Resolver({ timeout: DNS_TIMEOUT, tries: 1 });
  resolver.setServers(servers);
  let packets = 0;
  await Promise.all(
    addresses.map(async (address) => {
      if (!(await turn())) return;
      packets += 1;
      const names = await resolver.reverse(address).catch(() => []);
      for (const name of names.slice(0, MOST_HINTS)) add(address, 'dns', name);
    }),
  );
  return packets;
}

async function multicastDns(
  addresses: readonly AllowedAddress[],
  { clock, mdnsPort = MDNS_PORT }: NameOptions,
  turn: Turn,
  add: Add,
  signal: AbortSignal,
): Promise<number> {
  if (addresses.length === 0) return 0;
  const socket = createSocket('udp4');
  socket.on('error', () => {}); // an address that cannot be sent to has no name to tell
  const asked = new Map<string, { readonly address: AllowedAddress; readonly id: number; replies: number }>();
  socket.on('message', (datagram, { address: from, port }) => {
    const query = asked.get(from);
    if (!query || port !== mdnsPort || ++query.replies > MOST_REPLIES) return;
    for (const { name, target } of ptrRecords(datagram, query.id) ?? []) {
      if (name === reverseName(query.address)) add(query.address, 'mdns', target);
      else if (SERVICES.includes(name) && target.endsWith(`.${name}`))
        add(query.address, 'dns-sd', target.slice(0, -name.length - 1));
    }
  });
  try {
    socket.bind(0);
    await once(socket, 'listening');
    for (const address of addresses) {
      if (!(await turn())) break;
      const id = randomInt(65_536);
      asked.set(address, { address, id, replies: 0 });
      socket.send(ptrQuery(id, [reverseName(address), ...SERVICES]), mdnsPort, address);
    }
    await clock.sleep(MDNS_WAIT, signal).catch(() => {});
  } finally {
    socket.close();
  }
  return asked.size;
}
