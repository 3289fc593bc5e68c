import { ByteChains } from './byte-chains.ts';
import { decodeSamples, LONGEST_SAMPLE, type Sample, storable, writeSample } from './codec.ts';
import { Column } from './column.ts';

/**
 * The chunk that each series is filling, by the series' slot: encoded from the first sample on, as `decodeSamples` reads
 * them. Times are seconds since 1970, which columns hold until 2106.
 */
export class OpenChunks {
  readonly #bytes = new ByteChains();
  readonly #start = new Column(Uint32Array);
  // What the next sample is written as a difference to.
  readonly #lastAt = new Column(Uint32Array);
  readonly #lastStep = new Column(Uint32Array);
  readonly #lastValue = new Column(Float64Array);
  readonly #unsaved = new Column(Uint32Array);
  readonly #sample = new Uint8Array(LONGEST_SAMPLE);

  /** Whether the slot has a chunk: it begins with its first sample. */
  isOpen(slot: number): boolean {
    return this.#bytes.length(slot) > 0;
  }

  /** The time of the first sample. */
  start(slot: number): number {
    return this.#start.get(slot);
  }

  /** Takes samples in the order of their times; `value` in whole steps. */
  append(slot: number, at: number, value: number): void {
    if (!this.isOpen(slot)) this.#begin(slot, at);
    const step = at - this.#lastAt.get(slot);
    const stored = storable(value);
    const length = writeSample(this.#sample, step - this.#lastStep.get(slot), stored - this.#lastValue.get(slot));
    this.#bytes.append(slot, this.#sample, length);
    this.#lastAt.set(slot, at);
    this.#lastStep.set(slot, step);
    this.#lastValue.set(slot, stored);
    this.#unsaved.set(slot, 1);
  }

  samples(slot: number): Sample[] {
    return decodeSamples(this.start(slot), this.#bytes.bytes(slot));
  }

  /** Holds samples that `save` has not given yet. */
  isUnsaved(slot: number): boolean {
    return this.#unsaved.get(slot) !== 0;
  }

  /** The chunk as far as it is. */
  save(slot: number): Uint8Array {
    this.#unsaved.set(slot, 0);
    return this.#bytes.bytes(slot);
  }

  /** The whole chunk, which the slot has no longer. */
  close(slot: number): Uint8Array {
    const bytes = this.save(slot);
    this.#bytes.clear(slot);
    return bytes;
  }

  #begin(slot: number, at: number): void {
    this.#start.set(slot, at);
    this.#lastAt.set(slot, at);
    this.#lastStep.set(slot, 0);
    this.#lastValue.set(slot, 0);
  }
}
