import type { Target } from '#collectors/contract.ts';

/** A device of which nothing is known but what the test is about. */
export function target(name: string, address: string, rest: Partial<Target> = {}): Target {
  return { name, address, snmpPort: 161, tcpPorts: [], credentials: [], ...rest };
}
