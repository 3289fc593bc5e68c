/** The part of the tar format (POSIX.1-1988, ustar) that a backup needs: plain files, one after another. */

const BLOCK = 512;

export interface TarEntry {
  readonly name: string;
  readonly size: number;
}

/** The header block of a plain file. Names of up to 100 octets, sizes of up to 8 GiB. */
export function tarHeader({ name, size }: TarEntry, modified: Date): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;
  header.write(name, 0, 100, 'utf8');
  header.write(octal(0o600, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(size, 12), 124);
  header.write(octal(Math.floor(modified.getTime() / 1000), 12), 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257, 'latin1');
  header.write(octal(checksum(header), 7), 148);
  return header;
}

/** Zeros from the end of a file of this size to the next block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** Two blocks of zeros. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

function checksum(header: Buffer): number {
  return header.reduce((sum, octet, at) => sum + (at >= 148 && at < 156 ? 32 : octet), 0);
}

/** Undefined at the end of the archive. @throws when it is not a header of a plain file */
export function readTarHeader(header: Buffer): TarEntry | undefined {
  if (header.every((octet) => octet === 0)) return undefined;
  const text = (from: number, length: number): string => {
    const field = header.subarray(from, from + length);
    const end = field.indexOf(0);
    return field.subarray(0, end < 0 ? length : end).toString('utf8');
  };
  const size = Number.parseInt(text(124, 12), 8);
  const sum = Number.parseInt(text(148, 8), 8);
  if (sum !== checksum(header) || Number.isNaN(size) || text(156, 1) !== '0') throw new Error('not a tar file of ours');
  return { name: text(0, 100), size };
}

/** Cuts a stream into its files. Each content must be read to its end before the next comes. */
export async function* tarEntries(
  source: AsyncIterable<Buffer>,
): AsyncGenerator<TarEntry & { readonly content: AsyncGenerator<Buffer> }> {
  const reader = new BlockReader(source);
  while (true) {
    const entry = readTarHeader(await reader.exactly(BLOCK));
    if (!entry) return;
    yield { ...entry, content: reader.stream(entry.size) };
    await reader.exactly(tarPadding(entry.size).length);
  }
}

class BlockReader {
  readonly #source: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async exactly(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.stream(length)) parts.push(part);
    return Buffer.concat(parts);
  }

  async *stream(length: number): AsyncGenerator<Buffer> {
    let left = length;
    while (left > 0) {
      if (this.#buffer.length === 0) {
        const next = await this.#source.next();
        if (next.done) throw new Error('the file ends too early');
        this.#buffer = next.value;
      }
      const part = this.#buffer.subarray(0, left);
      this.#buffer = this.#buffer.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }
}
