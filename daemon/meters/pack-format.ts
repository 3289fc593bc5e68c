/** What an evidence pack says of itself. */
import type { WallTime } from '#collectors/contract.ts';
import type { Database } from '../store/store.ts';
import { bytesOf, MeterArchive } from './archive.ts';

export const PACK_FORMAT = 'siteward-pack-1';

export interface PackManifest {
  readonly format: typeof PACK_FORMAT;
  readonly siteward: string;
  readonly site: string;
  readonly client: string;
  readonly period: { readonly from: WallTime; readonly to: WallTime };
  readonly made: WallTime;
  readonly files: readonly { readonly name: string; readonly size: number; readonly sha256: string }[];
  /** Where the chains stood. */
  readonly heads: { readonly entries: string; readonly devices: Readonly<Record<string, string>> };
  /** PEM. */
  readonly public_key: string;
}

/** The last hash of each chain, in hexadecimal. */
export async function headsOf(database: Database): Promise<PackManifest['heads']> {
  const [entry] = await database.read('SELECT hash FROM meter_entries ORDER BY seq DESC LIMIT 1');
  const chunks = await database.read('SELECT device, max(first) AS first, tip FROM meter_chunks GROUP BY device');
  const reads = await database.read('SELECT device, max(number) AS number, hash FROM meter_reads GROUP BY device');
  const tips = new Map([
    ...chunks.map((row) => [Number(row['device']), bytesOf(row, 'tip')] as const),
    ...reads.map((row) => [Number(row['device']), bytesOf(row, 'hash')] as const),
  ]);
  const names = await new MeterArchive({ database }).devices();
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  const devices = names.flatMap(({ id, name }) => {
    const tip = tips.get(id);
    return tip ? [[name, hex(tip)] as const] : [];
  });
  return { entries: entry ? hex(bytesOf(entry, 'hash')) : '', devices: Object.fromEntries(devices) };
}
