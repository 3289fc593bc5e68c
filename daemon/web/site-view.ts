import type { DeviceClass, Identity, Problem, Reading, WallTime } from '#collectors/contract.ts';
import type { State } from '../availability/verdict.ts';

/** A device as pages, API and command line show it. */
export interface DeviceView {
  readonly name: string;
  readonly address: string;
  readonly class: DeviceClass;
  readonly identity?: Identity;
  readonly state: State;
  /** When it entered that state. */
  readonly since: WallTime;
  readonly problems: readonly Problem[];
}

/** What the web shows of the running daemon, and the little that it may ask of it. */
export interface SiteView {
  readonly site: { readonly id: string; readonly client: string; readonly timezone: string };
  readonly version: string;
  readonly startedAt: WallTime;
  /** True while what siteward serves is the simulated office. */
  readonly demo: boolean;
  devices(): readonly DeviceView[];
  device(name: string): DeviceView | undefined;
  /** The last value of each series of a device. */
  readings(device: string): readonly Reading[];
  /** Why the daemon is not ready; empty when it is. */
  notReady(): readonly string[];
  /** Reads the config again. Resolves with what is wrong in it, empty when it was taken. */
  reload(): Promise<readonly string[]>;
}
