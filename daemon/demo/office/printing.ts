import { chance, type OfficeTime } from './time.ts';

/** What a page came from. */
export const KINDS = ['print_mono', 'print_color', 'copy_mono', 'copy_color', 'fax'] as const;
export type PageKind = (typeof KINDS)[number];

export interface PrintHabits {
  readonly seed: number;
  /** Office seconds from one job to the next. */
  readonly every: number;
  readonly largestJob: number;
  /** How the jobs divide, by weight. */
  readonly mix: Readonly<Partial<Record<PageKind, number>>>;
}

/** The jobs that an office sends to one printer. Each counts when it begins. */
export class PrintQueue {
  readonly #time: OfficeTime;
  readonly #habits: PrintHabits;
  readonly #printed = new Map<PageKind, number>();
  #jobs = 0;

  constructor(time: OfficeTime, habits: PrintHabits) {
    this.#time = time;
    this.#habits = habits;
  }

  /** Pages since the demo began, of one kind or of all. */
  pages(kind?: PageKind): number {
    this.#advance();
    if (kind !== undefined) return this.#printed.get(kind) ?? 0;
    return [...this.#printed.values()].reduce((sum, pages) => sum + pages, 0);
  }

  /** During the first third of the time between two jobs. */
  isPrinting(): boolean {
    const { every } = this.#habits;
    return this.#time.office() >= every && this.#time.office() % every < every / 3;
  }

  #advance(): void {
    const due = Math.floor(this.#time.office() / this.#habits.every);
    for (; this.#jobs < due; this.#jobs += 1) {
      const kind = this.#kindOf(this.#jobs);
      const pages = 1 + Math.floor(chance(this.#habits.seed, this.#jobs) * this.#habits.largestJob);
      this.#printed.set(kind, (this.#printed.get(kind) ?? 0) + pages);
    }
  }

  #kindOf(job: number): PageKind {
    const weights = KINDS.map((kind) => [kind, this.#habits.mix[kind] ?? 0] as const);
    let left = chance(this.#habits.seed + 1, job) * weights.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [kind, weight] of weights) {
      if (left < weight) return kind;
      left -= weight;
    }
    return 'print_mono';
  }
}

/** Percent left of a supply that began at `start` and gives `yields` pages; someone replaces it when it is empty. */
export function remaining(start: number, pages: number, yields: number): number {
  const used = (100 - start + (pages * 100) / yields) % 100;
  return Math.round(100 - used);
}
