/**
 * Whether anybody listens on an address's SNMP port, found without offering any secret: an engine discovery of SNMPv3
 * (RFC 3414, section 4) names no user. A host without an agent refuses it at once, and then no credential is offered.
 */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock, Milliseconds } from '../contract.ts';
import type { AllowedAddress } from './gate.ts';

/** `refused`: its system says that nobody listens there. `silent` says nothing. */
export type Ring = 'answered' | 'refused' | 'silent';

const WAIT = 400 as Milliseconds;

export async function ring(
  address: AllowedAddress,
  port: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Ring> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const over = new AbortController();
  try {
    return await new Promise<Ring>((resolve) => {
      // Only a connected socket is told what comes back as ICMP.
      socket.once('error', (error) => resolve('code' in error && error.code === 'ECONNREFUSED' ? 'refused' : 'silent'));
      socket.once('message', () => resolve('answered'));
      socket.connect(port, address, () => socket.send(DISCOVERY));
      clock.sleep(WAIT, AbortSignal.any([signal, over.signal])).then(
        () => resolve('silent'),
        () => resolve('silent'),
      );
    });
  } finally {
    over.abort();
    socket.on('error', () => {});
    socket.close();
  }
}

function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
}

const octets = (...values: readonly number[]) => tlv(0x04, Buffer.from(values));
const integer = (...values: readonly number[]) => tlv(0x02, Buffer.from(values));

const NOBODY = tlv(0x30, octets(), integer(0), integer(0), octets(), octets(), octets());
const GET_NOTHING = tlv(0xa0, integer(0x37, 0x21), integer(0), integer(0), tlv(0x30));
const DISCOVERY = tlv(
  0x30,
  integer(3),
  tlv(0x30, integer(0x4d, 0x17), integer(0x00, 0xff, 0xe3), octets(0x04), integer(3)),
  tlv(0x04, NOBODY),
  tlv(0x30, octets(), octets(), GET_NOTHING),
);
