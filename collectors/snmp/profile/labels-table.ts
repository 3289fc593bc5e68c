/** The labels of a device's series, each kept once and known by its number. */
import { randomInt } from 'node:crypto';
import type { Labels } from '#collectors/contract.ts';

/** Of labels, among those of their device. */
export type LabelsNumber = number;

/** Another one in each process, so that no device can choose names that all come to lie in one place. */
const SEED = randomInt(2 ** 31);
const FIRST_PLACES = 8;
/** Share of the places that may be taken, so that a search soon comes to a free one. */
const FULL = 0.75;

/**
 * Equal labels are the same object from poll to poll. A map would hold a text of all names and values beside them, several
 * times as large as they are; here a place follows from the text, and what lies there is compared.
 */
export class LabelsTable {
  #labels: Labels[] = [];
  /** Numbers at the place that their text gives, or behind it; -1 where it is free. */
  #places: number[] = freePlaces(FIRST_PLACES);

  get size(): number {
    return this.#labels.length;
  }

  at(number: LabelsNumber): Labels {
    const labels = this.#labels[number];
    if (!labels) throw new RangeError(`labels ${number} of ${this.size}`);
    return labels;
  }

  /** The number of these labels, which are added where there are none like them. */
  numberOf(parts: Labels): LabelsNumber {
    const place = this.#placeOf(parts);
    const known = this.#places[place] ?? -1;
    if (known !== -1) return known;
    const number = this.size;
    this.#labels.push(Object.freeze({ ...parts }));
    if (this.size > this.#places.length * FULL) this.#lay(this.#places.length * 2);
    else this.#places[place] = number;
    return number;
  }

  /** Forgets all labels but these, and gives the old numbers of those that are left in the order of the new ones. */
  retain(numbers: Iterable<LabelsNumber>): readonly LabelsNumber[] {
    const kept = Array.from(numbers).sort((a, b) => a - b);
    this.#labels = kept.map((number) => this.at(number));
    let places = FIRST_PLACES;
    while (kept.length > places * FULL) places *= 2;
    this.#lay(places);
    return kept;
  }

  /** Where they are, or where they would go. */
  #placeOf(parts: Labels): number {
    const last = this.#places.length - 1;
    let place = hashOf(parts) & last;
    for (;;) {
      const number = this.#places[place] ?? -1;
      if (number === -1 || isSame(this.at(number), parts)) return place;
      place = (place + 1) & last;
    }
  }

  #lay(places: number): void {
    this.#places = freePlaces(places);
    for (const [number, labels] of this.#labels.entries()) this.#places[this.#placeOf(labels)] = number;
  }
}

/** @param count a power of two */
function freePlaces(count: number): number[] {
  return new Array<number>(count).fill(-1);
}

function hashOf(labels: Labels): number {
  let hash = SEED;
  for (const name in labels) {
    const text = labels[name] ?? '';
    for (let i = 0; i < text.length; i += 1) hash = mixed(hash ^ text.charCodeAt(i));
    hash = mixed(hash ^ text.length);
  }
  return hash;
}

function mixed(hash: number): number {
  const product = Math.imul(hash, 0x9e3779b1);
  return product ^ (product >>> 15);
}

function isSame(a: Labels, b: Labels): boolean {
  const names = Object.keys(a);
  const others = Object.keys(b);
  if (names.length !== others.length) return false;
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i] ?? '';
    if (name !== others[i] || a[name] !== b[name]) return false;
  }
  return true;
}
