/** Which addresses answer an echo request: one fping for a slice, at the pace of its range. */

import type { CollectContext, Milliseconds, Problem } from '../contract.ts';
import { runChild } from '../icmp/child.ts';
import { childFault, refusalFault } from '../icmp/faults.ts';
import type { AllowedAddress } from './gate.ts';

export interface Sweep {
  readonly alive: ReadonlySet<AllowedAddress>;
  /** Echo requests sent, as fping counts them. */
  readonly packets: number;
  /** Why nothing can be said: then `alive` is empty for a reason of ours. */
  readonly problem?: Problem;
}

/** A silent address is asked once more: one lost packet would hide a device until the next scan. */
const RETRIES = 1;
const TIMEOUT_MS = 700;
/** fping gives users without privileges no shorter interval. */
const SHORTEST_INTERVAL_MS = 1;
/** fping ends with 1 where some did not answer, with 2 where some addresses could not be used. */
const ORDINARY_STATUS = 2;
const OUTPUT_PER_ADDRESS = 400;

export interface SweepOptions {
  /** Absolute path of fping. */
  readonly fping: string;
  readonly packetsPerSecond: number;
}

export async function sweep(
  addresses: readonly AllowedAddress[],
  { fping, packetsPerSecond }: SweepOptions,
  context: CollectContext,
): Promise<Sweep> {
  if (addresses.length === 0) return { alive: new Set(), packets: 0 };
  const interval = Math.max(SHORTEST_INTERVAL_MS, 1000 / packetsPerSecond);
  const end = await runChild(
    {
      path: fping,
      // biome-ignore format: an option and its value side by side
      args: ['-a', '-s', '-r', `${RETRIES}`, '-t', `${TIMEOUT_MS}`, '-B', '1', '-i', interval.toFixed(1), '-f', '-'],
      input: `${addresses.join('\n')}\n`,
      limit: killAfter(addresses.length, interval),
      maxOutput: 65_536 + addresses.length * OUTPUT_PER_ADDRESS,
    },
    context,
  );
  if (end.kind !== 'exited') return { alive: new Set(), packets: 0, ...problemOf(childFault(end, fping)) };
  const sent = /^\s*(\d+) ICMP Echos sent/m.exec(end.stderr);
  if (end.code > ORDINARY_STATUS || !sent)
    return { alive: new Set(), packets: 0, ...problemOf(refusalFault(end.stderr, fping)) };
  const answered = new Set(end.stdout.split('\n').map((line) => line.trim()));
  return { alive: new Set(addresses.filter((address) => answered.has(address))), packets: Number(sent[1]) };
}

function killAfter(count: number, interval: number): Milliseconds {
  return (2 * (RETRIES + 1) * (count * interval + TIMEOUT_MS) + 5_000) as Milliseconds;
}

function problemOf(result: ReturnType<typeof refusalFault>): { readonly problem?: Problem } {
  return result.kind === 'could-not-tell' ? { problem: result.problem } : {};
}
