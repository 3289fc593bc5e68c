/** What this machine knows of its own network without sending anything. */
import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { addressNumber, addressText, canonicalAddress } from '#config/ranges.ts';
import { macText } from './neighbours.ts';

const COMPLETE = 0x2;

export interface ArpCache {
  /** Who answered us lately, by which physical address. */
  readonly macs: ReadonlyMap<string, string>;
  /** Addresses of our own network that nobody answered for: there is nobody there. */
  readonly nobody: ReadonlySet<string>;
}

/** The kernel's ARP cache. Empty where there is none to read. */
export async function ownArpCache(path = '/proc/net/arp'): Promise<ArpCache> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const macs = new Map<string, string>();
  const nobody = new Set<string>();
  for (const line of text.split('\n').slice(1)) {
    const [written = '', , flags = '', hardware = ''] = line.trim().split(/\s+/);
    const address = canonicalAddress(written);
    const mac = macText(hardware.split(':').map((octet) => Number.parseInt(octet, 16)));
    if (address === undefined) continue;
    if ((Number(flags) & COMPLETE) === 0) nobody.add(address);
    else if (mac !== undefined) macs.set(address, mac);
  }
  return { macs, nobody };
}

/** The router by which this machine reaches the rest of the world, if it has one of IPv4. */
export async function ownGateway(path = '/proc/net/route'): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  for (const line of text.split('\n').slice(1)) {
    const [, destination, gateway = ''] = line.trim().split(/\s+/);
    if (destination !== '00000000' || !/^[0-9A-F]{8}$/i.test(gateway) || gateway === '00000000') continue;
    return [...Buffer.from(gateway, 'hex')].toReversed().join('.');
  }
  return undefined;
}

/**
 * Addresses of this machine's networks that are nobody's: what is sent to the broadcast address goes to everybody, and
 * so it does at the network's own address with many devices (RFC 1122, 3.3.6). A /31 has neither (RFC 3021).
 */
export function ownBroadcasts(interfaces = networkInterfaces()): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { address, netmask } of Object.values(interfaces).flatMap((entries) => entries ?? [])) {
    if (!isIPv4(address) || !isIPv4(netmask)) continue;
    const hosts = ~addressNumber(netmask) & 0xffff_ffffn;
    if (hosts <= 1n) continue;
    const network = addressNumber(address) & ~hosts;
    found.add(addressText(network, 4)).add(addressText(network | hosts, 4));
  }
  return found;
}
