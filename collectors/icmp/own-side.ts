/**
 * Whether packets to an address can leave this machine. Neither fping nor a connection that times out tells a dead
 * device from a pulled cable on our side, and only one of them is downtime.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Problem } from '../contract.ts';

/** Discard: never sent to, since connecting a UDP socket only asks the kernel for a route. */
const ANY_PORT = 9;
/** Addresses looked up before the event loop gets its turn. */
const BATCH = 64;

/**
 * The addresses that this machine cannot send to, and why: no route, or a way out whose link is down. Sends nothing.
 * An address that is not in the result may still be unreachable further on: that is for the probes to tell.
 */
export async function ownFaults(addresses: readonly string[]): Promise<ReadonlyMap<string, Problem>> {
  const faults = new Map<string, Problem>();
  if (addresses.length === 0) return faults;
  const running = runningAddresses();
  for (const type of ['udp4', 'udp6'] as const) {
    const family = addresses.filter((address) => isIPv6(address) === (type === 'udp6'));
    if (family.length === 0) continue;
    const socket = routeSocket(type);
    try {
      for (const [index, address] of family.entries()) {
        if (index % BATCH === BATCH - 1) await nextTurn();
        const fault = await routeFault(socket, address, running);
        if (fault) faults.set(address, fault);
      }
    } finally {
      socket.close();
    }
  }
  return faults;
}

function routeSocket(type: 'udp4' | 'udp6'): Socket {
  const socket = createSocket({
    type,
    // The addresses are numeric: without this each of them would take a turn in the resolver's thread pool.
    lookup: (address, _options, done) => done(null, address, type === 'udp6' ? 6 : 4),
  });
  socket.on('error', () => {}); // reported to the callback of connect()
  return socket;
}

async function routeFault(socket: Socket, address: string, running: ReadonlySet<string>): Promise<Problem | undefined> {
  try {
    await new Promise<void>((resolve, reject) => {
      // The types leave out that the callback is given the error of a failed connect().
      const done = (error?: Error) => (error ? reject(error) : resolve());
      socket.connect(ANY_PORT, address, done);
    });
  } catch (error) {
    return noRoute(address, error);
  }
  try {
    const source = withoutZone(socket.address().address);
    // A local address is its own source, whatever interface it is on.
    return source === withoutZone(address) || running.has(source) ? undefined : linkDown(address, source);
  } finally {
    socket.disconnect();
  }
}

/** Addresses of interfaces that are up and have a carrier: the others are not listed. */
function runningAddresses(): ReadonlySet<string> {
  return new Set(
    Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map((entry) => withoutZone(entry.address))),
  );
}

function withoutZone(address: string): string {
  return address.split('%', 1)[0] ?? address;
}

function noRoute(address: string, error: unknown): Problem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return {
    code: 'OWN_NO_ROUTE',
    message: `this machine has no way to ${address} (${code})`,
    hint: 'check its addresses, its gateway and its routes: ip route get ADDRESS',
  };
}

function linkDown(address: string, source: string): Problem {
  return {
    code: 'OWN_LINK_DOWN',
    message: `the link by which this machine reaches ${address} is down (its own address there is ${source})`,
    hint: "check this machine's cable, its switch port or its tunnel",
  };
}
