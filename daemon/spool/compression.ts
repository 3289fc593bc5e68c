import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

const compress = promisify(zlib.gzip);
const expand = promisify(zlib.gunzip);

/** No batch of ours is near this; a damaged one may claim to be. */
const LARGEST_RAW_BYTES = 64_000_000;

/** Off the event loop. `level` 1 is for what is sent in a moment, 6 for what stays. */
export async function gzip(raw: Uint8Array, level: number): Promise<Uint8Array> {
  return await compress(raw, { level });
}

/** @throws when the bytes are not whole */
export async function gunzip(bytes: Uint8Array): Promise<Uint8Array> {
  return await expand(bytes, { maxOutputLength: LARGEST_RAW_BYTES });
}
