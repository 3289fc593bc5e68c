import { isIPv6 } from 'node:net';
import type { CollectContext, Milliseconds } from '../contract.ts';
import { type ChildEnd, firstLine, runChild } from './child.ts';
import { childFault, refusalFault } from './faults.ts';
import { couldNotTell, ECHO_REQUESTS, type EchoResult, type Prober } from './prober.ts';

/** Between two echo requests to one address, so that one burst of loss does not take all of them. */
const PERIOD_MS = 500;
/** A reply that takes longer counts as lost. */
const REPLY_TIMEOUT_MS = 1000;
/** Between any two packets of one process. fping gives a user without privileges no less. */
const INTERVAL_MS = 1;
/**
 * Most addresses of one process. At one packet a millisecond this is a round of seven seconds, and processes run side
 * by side. Smaller chunks are no gain: every raw socket gets a copy of every echo reply that reaches the machine, so
 * the cost of a round grows with its addresses times its processes, and at 20 processes socket buffers overflow, which
 * reads as loss.
 */
const CHUNK = 2000;
/** Longest lines are those of IPv6 addresses; the rest is room for a warning per address. */
const OUTPUT_PER_ADDRESS = 400;

/** Exit statuses of fping: 0 all answered, 1 some did not, 2 some addresses could not be used (no IPv6, …). */
const ORDINARY_STATUS = 2;

/** Rounds of echo requests by fping, a process per two thousand addresses and address family. */
export class FpingProber implements Prober {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async probe(addresses: readonly string[], context: CollectContext): Promise<ReadonlyMap<string, EchoResult>> {
    const families = [addresses.filter((address) => !isIPv6(address)), addresses.filter((address) => isIPv6(address))];
    const rounds = families.flatMap(chunksOf).map(async (chunk) => await this.#round(chunk, context));
    return new Map((await Promise.all(rounds)).flatMap((results) => [...results]));
  }

  async #round(chunk: readonly string[], context: CollectContext): Promise<Map<string, EchoResult>> {
    const end = await runChild(
      {
        path: this.#path,
        // biome-ignore format: an option and its value side by side
        args: ['-q', '-C', `${ECHO_REQUESTS}`, '-p', `${PERIOD_MS}`, '-t', `${REPLY_TIMEOUT_MS}`, '-i', `${INTERVAL_MS}`, '-f', '-'],
        input: `${chunk.join('\n')}\n`,
        limit: killAfter(chunk.length),
        maxOutput: 65_536 + chunk.length * OUTPUT_PER_ADDRESS,
      },
      context,
    );
    const results = end.kind === 'exited' ? parseFping(end.stderr, new Set(chunk)) : new Map<string, EchoResult>();
    const fault = faultOf(end, this.#path, results.size);
    if (fault) return new Map(chunk.map((address) => [address, fault]));
    for (const address of chunk) if (!results.has(address)) results.set(address, leftOut(end, address));
    return results;
  }
}

/**
 * Reads what `fping -q -C n` prints on standard error, a line per address: `192.0.2.1 : 0.42 - 0.39`, in milliseconds,
 * `-` for a lost one. Versions 4 to 5.5 print the same; other lines (duplicates, ICMP errors, blank ones) are passed over.
 * An address with fewer values than were asked for has no result, since the run was cut short.
 */
export function parseFping(output: string, asked: ReadonlySet<string>): Map<string, EchoResult> {
  const results = new Map<string, EchoResult>();
  for (const line of output.split('\n')) {
    const colon = line.indexOf(' :');
    const address = line.slice(0, Math.max(0, colon)).trimEnd();
    if (!asked.has(address)) continue;
    const values = line
      .slice(colon + 2)
      .trim()
      .split(/ +/);
    if (values.length !== ECHO_REQUESTS || !values.every((value) => /^(-|\d+(\.\d+)?)$/.test(value))) continue;
    const roundTrips = values.filter((value) => value !== '-').map((value) => Number(value) as Milliseconds);
    results.set(address, { kind: 'asked', sent: values.length, roundTrips });
  }
  return results;
}

/** The version in what `fping -v` prints, or nothing when that is not fping. */
export function fpingVersion(output: string): string | undefined {
  return /^\S*fping\S*: Version (\d+(?:\.\d+)*\S*)/im.exec(output)?.[1];
}

function chunksOf(addresses: readonly string[]): (readonly string[])[] {
  const count = Math.ceil(addresses.length / CHUNK);
  const size = Math.ceil(addresses.length / Math.max(1, count));
  return Array.from({ length: count }, (_, index) => addresses.slice(index * size, (index + 1) * size));
}

/** Twice what the round takes when nobody answers, and some for a busy machine. */
function killAfter(addresses: number): Milliseconds {
  const pass = Math.max(PERIOD_MS, addresses * INTERVAL_MS);
  return (2 * (ECHO_REQUESTS * pass + REPLY_TIMEOUT_MS) + 3000) as Milliseconds;
}

/** What makes the whole run worthless. A refused option ends fping with the status of an address that did not answer. */
function faultOf(end: ChildEnd, path: string, results: number): EchoResult | undefined {
  if (end.kind !== 'exited') return childFault(end, path);
  return end.code <= ORDINARY_STATUS && results > 0 ? undefined : refusalFault(end.stderr, path);
}

/** fping ended well and yet has no result for the address: often it names the reason. */
function leftOut(end: ChildEnd, address: string): EchoResult {
  const lines = end.kind === 'exited' ? end.stderr.split('\n') : [];
  const line = lines.find((text) => text.startsWith(`${address}:`) || text.startsWith(`${address} `));
  const said = line === undefined ? 'nothing about it' : firstLine(line);
  return couldNotTell(
    'ICMP_TOOL_OUTPUT',
    `fping has no result for ${address}: ${said}`,
    'check that this machine has an address of the same family',
  );
}
