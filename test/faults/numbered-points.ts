import type { Observation } from '#collectors/contract.ts';
import type { DatabaseOptions } from '#daemon/store/store.ts';
import { observation, reading } from '../support/observations.ts';

/** Each round is one observation of so many interfaces, and so many points. */
export const POINTS_PER_ROUND = 50;
export const START = Date.UTC(2026, 10, 1);

/** The points from `number` on: interface, value and time follow from the number alone. */
export function observationOf(number: number): Observation {
  const readings = Array.from({ length: POINTS_PER_ROUND }, (_, index) =>
    reading('siteward_interface_receive_bytes_total', pointValue(number + index), { interface: `if-${index}` }),
  );
  return observation('sw-1', timeOf(number), readings);
}

export function timeOf(number: number): number {
  return START + Math.floor(number / POINTS_PER_ROUND) * 1000;
}

export function pointValue(number: number): bigint {
  return BigInt(number) * 1_000_003n;
}

export const ledgerOptions: DatabaseOptions = {
  migrations: [{ name: 'entries', sql: 'CREATE TABLE entry (number INTEGER PRIMARY KEY) STRICT' }],
  synchronous: 'full',
  reserveBytes: 1_048_576,
};
