import type { Observation } from '#collectors/contract.ts';
import { observation, reading } from '../support/observations.ts';
import { seededRandom } from '../support/random.ts';

/** A site of 100 devices with 15 interfaces each, read once a minute: 1,500 points. */
export const DEVICES = 100;
export const INTERFACES = 15;
export const POINTS_PER_MINUTE = DEVICES * INTERFACES;

/** Octets in and out, as they come: counters that rise by what a line carries, each at its own pace. */
export class OutageLoad {
  readonly #random = seededRandom(72);
  readonly #counters = Array.from({ length: POINTS_PER_MINUTE }, () => ({
    received: BigInt(Math.floor(this.#random() * 2 ** 40)),
    sent: BigInt(Math.floor(this.#random() * 2 ** 40)),
    pace: 10 ** (2 + 5 * this.#random()),
  }));

  /** All observations of one minute. */
  minute(at: number): readonly Observation[] {
    return Array.from({ length: DEVICES }, (_, device) => this.device(device, at + device * 500));
  }

  /** What one device says at that time. */
  device(device: number, at: number): Observation {
    const readings = Array.from({ length: INTERFACES }, (_, port) => {
      const counter = this.#counters[device * INTERFACES + port];
      if (!counter) throw new Error('no counter');
      counter.received += BigInt(Math.floor(this.#random() * counter.pace * 60));
      counter.sent += BigInt(Math.floor(this.#random() * counter.pace * 30));
      const labels = { interface: `GigabitEthernet0/${port}` };
      return [
        reading('siteward_interface_receive_bytes_total', counter.received, labels),
        reading('siteward_interface_transmit_bytes_total', counter.sent, labels),
      ];
    });
    return observation(`switch-${device}`, at, readings.flat());
  }
}
