import type { Clock } from '#collectors/contract.ts';

/** When a device is out of order, in office seconds since the demo began. */
export interface OutagePlan {
  readonly first: number;
  readonly every: number;
  readonly lasts: number;
}

/**
 * Two times: the real one, in which packets flow and devices are up, and that of the office, in which pages are printed,
 * toner is used and disks fill. The office's time runs `lapse` times as fast, so that something happens while one watches.
 */
export class OfficeTime {
  readonly #clock: Clock;
  readonly #started: number;
  readonly #lapse: number;

  constructor(clock: Clock, lapse: number) {
    this.#clock = clock;
    this.#started = clock.monotonicNow();
    this.#lapse = lapse;
  }

  /** Seconds since the demo began. */
  elapsed(): number {
    return (this.#clock.monotonicNow() - this.#started) / 1000;
  }

  /** Office seconds since the demo began. */
  office(): number {
    return this.elapsed() * this.#lapse;
  }

  /** Today in `days`, as a device writes it: `2027-05-31 00:00:00`. */
  dateIn(days: number): string {
    const date = new Date(this.#clock.wallNow() + days * 86_400_000).toISOString();
    return `${date.slice(0, 10)} 00:00:00`;
  }

  /** A device that ran for `ran` seconds before the demo began, and fails by plan. */
  life(ran: number, plan?: OutagePlan): DeviceLife {
    return {
      silent: () => plan !== undefined && phase(this.office(), plan).silent,
      uptime: () => {
        const since = plan && phase(this.office(), plan).since;
        return since === undefined ? ran + this.elapsed() : (this.office() - since) / this.#lapse;
      },
      restarts: () => (plan ? phase(this.office(), plan).ended : 0),
    };
  }
}

export interface DeviceLife {
  /** Whether it is out of order now. */
  silent(): boolean;
  /** Seconds since it last started. */
  uptime(): number;
  /** How often it has started anew since the demo began. */
  restarts(): number;
}

interface Phase {
  readonly silent: boolean;
  /** Outages that are over. */
  readonly ended: number;
  /** When the last of them ended. */
  readonly since?: number;
}

/** Where in its plan a device is. */
function phase(now: number, plan: OutagePlan): Phase {
  const begun = Math.max(0, 1 + Math.floor((now - plan.first) / plan.every));
  const silent = begun > 0 && now < plan.first + (begun - 1) * plan.every + plan.lasts;
  const ended = silent ? begun - 1 : begun;
  return ended === 0 ? { silent, ended } : { silent, ended, since: plan.first + (ended - 1) * plan.every + plan.lasts };
}

/** Rises and falls between 0 and 1 once in `period`, beginning at a place that differs by `seed`. */
export function wave(at: number, period: number, seed: number): number {
  return (1 + Math.sin((2 * Math.PI * at) / period + seed)) / 2;
}

/** What a flow of `mean` per second, swinging by two thirds once in four minutes, has brought after `seconds`. Never falls. */
export function flow(mean: number, seconds: number, seed: number): number {
  const angle = (2 * Math.PI) / 240;
  return mean * (seconds + (0.66 / angle) * (Math.cos(seed) - Math.cos(angle * seconds + seed)));
}

/** A number from 0 to 1 that looks random and is the same each time. */
export function chance(seed: number, n: number): number {
  let x = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(n + 1, 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
}
