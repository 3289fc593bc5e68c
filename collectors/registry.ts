import type { Collector } from './contract.ts';
import { createIcmpCollector, type IcmpCollector } from './icmp/collector.ts';
import { createSnmpCollector, type SnmpCollector, type SnmpCollectorOptions } from './snmp/collector.ts';
import { createTcpCollector } from './tcp/collector.ts';

export interface Collectors {
  readonly icmp: IcmpCollector;
  readonly snmp: SnmpCollector;
  readonly tcp: Collector;
}

/** Every collector, one line each. */
export function createCollectors(options: SnmpCollectorOptions): Collectors {
  return {
    icmp: createIcmpCollector(),
    snmp: createSnmpCollector(options),
    tcp: createTcpCollector(),
  };
}

/** No collector: it finds what collectors are then asked about. */
export { scan } from './discovery/scan.ts';
