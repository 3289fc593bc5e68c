/**
 * The parts of prom-client that siteward uses, each by its own file. Its index also loads what pushes to a gateway, with
 * TLS and all certificates of the authorities, and what belongs to clusters.
 */
declare module 'prom-client/lib/counter.js' {
  export { Counter as default } from 'prom-client';
}
declare module 'prom-client/lib/gauge.js' {
  export { Gauge as default } from 'prom-client';
}
declare module 'prom-client/lib/histogram.js' {
  export { Histogram as default } from 'prom-client';
}
declare module 'prom-client/lib/registry.js' {
  export { Registry as default } from 'prom-client';
}
declare module 'prom-client/lib/metrics/*.js' {
  import type { Registry } from 'prom-client';

  /** Adds gauges and counters that are filled at each scrape. */
  export default function collect(registry: Registry): void;
}
