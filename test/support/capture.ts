/**
 * Every packet on every interface of a network namespace, from before a test's first to after its last, and who was
 * contacted by them. Reads packets by itself: no code of siteward judges what siteward sent.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Namespaces } from './namespace.ts';
import { until } from './until.ts';

export interface Packet {
  /** True where the namespace itself sent it. */
  readonly isOutgoing: boolean;
  /** Of ARP: the address that is asked for. */
  readonly target: string;
  readonly source: string;
  readonly kind: 'arp' | 'udp' | 'other';
  /** Whether the kernel alone sends such: neighbour discovery and multicast listener reports. */
  readonly isHousekeeping: boolean;
  /** Of UDP. */
  readonly payload?: Buffer;
}

export interface Capture {
  /**
   * All up to a packet to this address, which is waited for: what tcpdump has not read when it ends is lost.
   * @throws where packets were lost, or that one does not come
   */
  packetsTo(last: string): Promise<readonly Packet[]>;
  stop(): Promise<void>;
}

const PATIENCE = 10_000;

export async function startCapture(office: Namespaces, where: 'near' | 'far', file: string): Promise<Capture> {
  const [program = '', ...entering] = office.entering(where);
  const args = ['-i', 'any', '-y', 'LINUX_SLL2', '-B', '32768', '--immediate-mode', '-U', '-w', file];
  const child = spawn(program, [...entering, 'tcpdump', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('listening on')) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`tcpdump ended: ${said}`)));
  });
  const stop = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'close');
    child.kill(signal);
    await ended;
  };
  return {
    packetsTo: async (last) => {
      const isSeen = async () => packetsOf(await readFile(file)).some(({ target }) => target === last);
      await until(`a packet to ${last}`, isSeen, { patience: PATIENCE, tail: () => `: ${said}` });
      await stop('SIGINT');
      if (!said.includes('\n0 packets dropped by kernel')) throw new Error(`packets were lost: ${said}`);
      return packetsOf(await readFile(file));
    },
    stop: () => stop('SIGKILL'),
  };
}

const FILE_HEADER = 24;
const RECORD_HEADER = 16;

export function packetsOf(file: Buffer): Packet[] {
  const packets: Packet[] = [];
  for (let at = FILE_HEADER; at + RECORD_HEADER <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    if (at + RECORD_HEADER + length > file.length) break; // being written
    const packet = packetOf(file.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length));
    if (packet) packets.push(packet);
    at += RECORD_HEADER + length;
  }
  return packets;
}

const LINK = { header: 20, type: 10, outgoing: 4 };
const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd };
const PROTOCOL = { hopByHop: 0, udp: 17, icmpv6: 58 };
const ICMPV6 = { solicitation: 135, housekeeping: [133, 134, 135, 136, 143] };

function packetOf(frame: Buffer): Packet | undefined {
  const isOutgoing = frame[LINK.type] === LINK.outgoing;
  const body = frame.subarray(LINK.header);
  switch (frame.readUInt16BE(0)) {
    case ETHERTYPE.arp:
      return {
        isOutgoing,
        kind: 'arp',
        isHousekeeping: false,
        source: ipv4(body.subarray(14)),
        target: ipv4(body.subarray(24)),
      };
    case ETHERTYPE.ipv4: {
      const ends = { isOutgoing, source: ipv4(body.subarray(12)), target: ipv4(body.subarray(16)) };
      const isLaterPart = (body.readUInt16BE(6) & 0x1fff) !== 0;
      const payload = body.subarray(((body[0] ?? 0) & 15) * 4, body.readUInt16BE(2));
      return { ...ends, ...carried(isLaterPart ? -1 : (body[9] ?? 0), payload) };
    }
    case ETHERTYPE.ipv6: {
      let protocol = body[6] ?? 0;
      let payload = body.subarray(40);
      if (protocol === PROTOCOL.hopByHop) {
        protocol = payload[0] ?? 0;
        payload = payload.subarray(8 * (1 + (payload[1] ?? 0)));
      }
      const asksFor = protocol === PROTOCOL.icmpv6 && payload[0] === ICMPV6.solicitation;
      const target = asksFor ? ipv6(payload.subarray(8)) : ipv6(body.subarray(24));
      return { isOutgoing, source: ipv6(body.subarray(8)), target, ...carried(protocol, payload) };
    }
    default:
      return undefined;
  }
}

function carried(protocol: number, payload: Buffer): Pick<Packet, 'kind' | 'isHousekeeping' | 'payload'> {
  if (protocol === PROTOCOL.udp) return { kind: 'udp', isHousekeeping: false, payload: payload.subarray(8) };
  const isHousekeeping = protocol === PROTOCOL.icmpv6 && ICMPV6.housekeeping.includes(payload[0] ?? -1);
  return { kind: 'other', isHousekeeping };
}

function ipv4(octets: Buffer): string {
  return [...octets.subarray(0, 4)].join('.');
}

function ipv6(octets: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => octets.readUInt16BE(2 * index).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

/** Addresses outside that packets were sent to from here, each once; loopback is inside. */
export function contactedOutside(packets: readonly Packet[], isInside: (address: string) => boolean): string[] {
  const isOwn = (address: string) => address.startsWith('127.') || address === '::1';
  const sent = packets.filter(({ isOutgoing, source, target }) => isOutgoing && !(isOwn(source) && isOwn(target)));
  const outside = sent.filter(
    ({ target, isHousekeeping }) => !isInside(target) && !(isHousekeeping && /^(ff02|fe80):/.test(target)),
  );
  return [...new Set(outside.map(({ target }) => target))].toSorted();
}

/** Kinds of PDU in SNMP messages that are not encrypted, whatever their port: RFC 3416, section 3. */
export const PDU = { get: 0xa0, set: 0xa3, getBulk: 0xa5 };

/** Where messages with such a PDU went, sent or received here, each address once. */
export function targetsOf(pdu: number, packets: readonly Packet[]): string[] {
  const found = packets.filter(({ payload }) => payload !== undefined && pduIn(payload) === pdu);
  return [...new Set(found.map(({ target }) => target))].toSorted();
}

/** The tag of the PDU, or undefined where the octets are no SNMP message that can be read. */
export function pduIn(message: Buffer): number | undefined {
  const [version, second, ...rest] = parts(content(message, 0x30));
  if (version?.[0] !== 0x02 || second === undefined) return undefined;
  if (second[0] === 0x04) return rest[0]?.[0];
  const scoped = rest[1]; // SNMPv3: after the global data come the security parameters, then the scoped PDU
  return scoped?.[0] === 0x30 ? parts(content(scoped, 0x30))[2]?.[0] : undefined;
}

function content(element: Buffer, tag: number): Buffer {
  const { start, end } = extent(element);
  return element[0] === tag ? element.subarray(start, end) : Buffer.alloc(0);
}

function parts(octets: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let rest = octets; rest.length > 1; ) {
    const { end } = extent(rest);
    found.push(rest.subarray(0, end));
    rest = rest.subarray(end);
  }
  return found;
}

function extent(octets: Buffer): { readonly start: number; readonly end: number } {
  const first = octets[1] ?? 0;
  if (first < 0x80) return { start: 2, end: 2 + first };
  const length = octets.subarray(2, 2 + (first & 0x7f)).reduce((sum, octet) => sum * 256 + octet, 0);
  return { start: 2 + (first & 0x7f), end: 2 + (first & 0x7f) + length };
}

/** A SetRequest of SNMPv2c for sysContact. */
const SET_REQUEST = '302702010104067075626c6963a31a020101020100020100300f300d06082b06010201010500040178';

/**
 * Sends one SetRequest from `near` to an address outside: a capture that does not show it has not seen everything, and a
 * judge that does not name it judges nothing.
 */
export async function goAstray(office: Namespaces, address: string): Promise<void> {
  const script = `const s = require('node:dgram').createSocket('udp4'); s.send(Buffer.from('${SET_REQUEST}', 'hex'), 161, '${address}', () => s.close())`;
  const { code, stderr } = await office.near(process.execPath, ['-e', script]);
  if (code !== 0) throw new Error(`nothing was sent astray: ${stderr}`);
}
