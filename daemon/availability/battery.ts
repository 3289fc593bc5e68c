import type { Clock, Observation, WallTime } from '#collectors/contract.ts';

/** A UPS that fell silent on battery explains what falls silent within this of its last word. */
const REMEMBERED = 900_000;

/** UPSs of the site that run on battery, by what they said last: one that is silent since may be the reason. */
export class BatteryMemory {
  readonly #clock: Clock;
  readonly #seen = new Map<string, WallTime>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  accept({ device, question, groups, at }: Observation): void {
    if (question === 'alive') return;
    for (const { readings } of groups) {
      const reading = readings.find(({ metric }) => metric === 'siteward_ups_on_battery');
      if (!reading) continue;
      if (Number(reading.value) === 1) this.#seen.set(device, at);
      else this.#seen.delete(device);
    }
  }

  onBattery(): string[] {
    const now = this.#clock.wallNow();
    return [...this.#seen].filter(([, at]) => now - at < REMEMBERED).map(([device]) => device);
  }
}
