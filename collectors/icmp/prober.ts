import type { CollectContext, Milliseconds, Problem } from '../contract.ts';

/** Echo requests of one round per address: enough that one lost packet is no verdict. */
export const ECHO_REQUESTS = 3;

/** What one round of echo requests to one address brought. */
export type EchoResult =
  | { readonly kind: 'asked'; readonly sent: number; readonly roundTrips: readonly Milliseconds[] }
  /** The fault is on our side: nothing is said about the address. */
  | { readonly kind: 'could-not-tell'; readonly problem: Problem };

/** Sends echo requests by means of a tool of the operating system. */
export interface Prober {
  /**
   * Asks every address once. Has a result for each of them and never throws: a tool that cannot run is a result.
   * @param addresses distinct IPv4 or IPv6 addresses; anything else must not get here, since it ends up in an argument
   * or on the standard input of a program
   */
  probe(addresses: readonly string[], context: CollectContext): Promise<ReadonlyMap<string, EchoResult>>;
}

export function couldNotTell(code: string, message: string, hint: string): EchoResult {
  return { kind: 'could-not-tell', problem: { code, message, hint } };
}
