/** Snappy's block format. The only file that knows the `snappy` package, which need not be there. */

type Compress = (input: Buffer) => Promise<Buffer>;

let compressor: Promise<Compress> | undefined;

/** Compressed by the native package off the event loop; where it is missing, framed as it is, which every reader takes. */
export async function snappy(raw: Uint8Array): Promise<Uint8Array> {
  compressor ??= loadCompressor();
  return await (await compressor)(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength));
}

async function loadCompressor(): Promise<Compress> {
  try {
    const { compress } = await import('snappy');
    return (input) => compress(input);
  } catch {
    return async (input) => Buffer.from(literalSnappy(input));
  }
}

const LONGEST_LITERAL = 65_536;
/** A literal whose length is in the two octets that follow. */
const LITERAL_OF_TWO = 61 << 2;

/** The text itself in snappy's block format: its length, then literals (google/snappy, format_description.txt). */
export function literalSnappy(raw: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.from(lengthOf(raw.length))];
  for (let start = 0; start < raw.length; start += LONGEST_LITERAL) {
    const literal = raw.subarray(start, start + LONGEST_LITERAL);
    const last = literal.length - 1;
    parts.push(Uint8Array.of(LITERAL_OF_TWO, last & 0xff, last >> 8), literal);
  }
  return Buffer.concat(parts);
}

function lengthOf(length: number): number[] {
  return length < 0x80 ? [length] : [(length % 0x80) + 0x80, ...lengthOf(Math.floor(length / 0x80))];
}
