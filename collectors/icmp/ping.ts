/**
 * The only file that knows the `ping` package: its argument builder and its parser, which carry what differs between
 * platforms. Its `probe()` is left aside: it cannot be cancelled, hands the daemon's whole environment to the child, and
 * an unexpected first line makes it throw where nobody can catch, which ends the process.
 */
import { isIP, isIPv6 } from 'node:net';
import { platform } from 'node:os';
import builders, { type PingArguments } from 'ping/lib/builder/factory.js';
import parsers from 'ping/lib/parser/factory.js';
import type { CollectContext, Milliseconds } from '../contract.ts';
import { runChild } from './child.ts';
import { childFault, refusalFault } from './faults.ts';
import { couldNotTell, ECHO_REQUESTS, type EchoResult, type Prober } from './prober.ts';

/** A process per address is dear: more at once would stall everything else on a small machine. */
const AT_ONCE = 32;
const INTERVAL_SECONDS = 0.5;
const REPLY_TIMEOUT_SECONDS = 1;
/** Well over the two seconds that it takes when nobody answers. */
const KILL_AFTER = 6000 as Milliseconds;
const MAX_OUTPUT = 16_384;

export interface PingPaths {
  readonly ipv4: string;
  /** Older systems have a program of its own for IPv6. */
  readonly ipv6: string;
}

/** Echo requests by ping, a process per address: for a few devices, or where fping is missing. */
export class PingProber implements Prober {
  readonly #paths: PingPaths;

  constructor(paths: PingPaths) {
    this.#paths = paths;
  }

  async probe(addresses: readonly string[], context: CollectContext): Promise<ReadonlyMap<string, EchoResult>> {
    const results = new Map<string, EchoResult>();
    const waiting = addresses.values();
    const lane = async (): Promise<void> => {
      for (const address of waiting) results.set(address, await this.#ask(address, context));
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, addresses.length) }, lane));
    return results;
  }

  async #ask(address: string, context: CollectContext): Promise<EchoResult> {
    // ping would take an address that begins with a dash for an option.
    if (isIP(address) === 0) return couldNotTell('ICMP_NO_ADDRESS', 'it has no address', 'check its address');
    const path = isIPv6(address) ? this.#paths.ipv6 : this.#paths.ipv4;
    const args = builders.createBuilder(platform()).getCommandArguments(address, options(address));
    const end = await runChild({ path, args, limit: KILL_AFTER, maxOutput: MAX_OUTPUT }, context);
    if (end.kind !== 'exited') return childFault(end, path);
    return parsePing(address, `${end.stdout}\n${end.stderr}`);
  }
}

/**
 * Reads what ping printed for one address. Without its summary nothing was asked: no permission, no route, an option
 * that it does not know.
 */
export function parsePing(address: string, output: string): EchoResult {
  const parser = parsers.createParser(address, platform(), options(address));
  try {
    for (const line of output.split('\n')) parser.eat(line);
  } catch {
    return refusalFault(output, 'ping');
  }
  const { times, packetLoss } = parser.getResult();
  if (packetLoss === 'unknown') return refusalFault(output, 'ping');
  // Duplicates are listed too, and are no more than the one request that they answer.
  const roundTrips = times.slice(0, ECHO_REQUESTS).filter((time) => typeof time === 'number') as Milliseconds[];
  const refused = /^ping.*: sendmsg: .*/m.exec(output);
  if (roundTrips.length === 0 && refused) return refusalFault(refused[0], 'ping');
  return { kind: 'asked', sent: ECHO_REQUESTS, roundTrips };
}

/**
 * A new object for each call, since the package writes into it. No `deadline`: with it ping goes on sending until so
 * many replies have come. The limit is on the process instead.
 */
function options(address: string): PingArguments {
  return {
    numeric: true,
    timeout: REPLY_TIMEOUT_SECONDS,
    deadline: false,
    min_reply: ECHO_REQUESTS,
    v6: isIPv6(address),
    extra: ['-i', `${INTERVAL_SECONDS}`],
  };
}
