/** Scans the configured ranges when they are due, one after the other, and goes on where it was stopped. */
import type { Clock, Milliseconds, Problem } from '#collectors/contract.ts';
import { Gate } from '#collectors/discovery/gate.ts';
import { ownBroadcasts, ownGateway } from '#collectors/discovery/own-network.ts';
import { type ScanProgress, scan } from '#collectors/discovery/scan.ts';
import type { ProfileLibrary } from '#collectors/snmp/profile/library.ts';
import { type AddressRange, contains, isSwept, slices } from '#config/ranges.ts';
import type { Config } from '#config/schema.ts';
import type { Logger } from '../log.ts';
import type { Database } from '../store/store.ts';
import { inWindow, isDue } from './due-scan.ts';
import { crowds, found } from './found.ts';
import { readScans, type ScanState, writeScan } from './ledger.ts';
import { type ConfiguredRange, configuredRanges, knownFor } from './scope.ts';
import type { SiteInventory } from './site-inventory.ts';
import { readTries, writeTries } from './tries-file.ts';

export interface ScannerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly profiles: ProfileLibrary;
  readonly inventory: SiteInventory;
  readonly config: () => Config;
  readonly database: () => Database;
  /** Where failed tries of credentials are kept. */
  readonly triesPath: string;
}

/** What the last or the running scan of a range is like. */
export interface RangeStatus {
  readonly range: string;
  readonly progress?: ScanProgress;
  readonly last?: ScanState;
  readonly problems: readonly Problem[];
}

const LOOK_EVERY = 30_000 as Milliseconds;

export class Scanner {
  readonly #options: ScannerOptions;
  readonly #stopping = new AbortController();
  readonly #status = new Map<string, RangeStatus>();
  #states = new Map<string, ScanState>();
  #wake = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: ScannerOptions) {
    this.#options = options;
  }

  /** Begins to look for ranges that are due. */
  async start(): Promise<void> {
    this.#states = new Map(await readScans(this.#options.database()));
    this.#running = this.#loop();
  }

  /** Stops the scan under way at once; it goes on where it was when siteward starts again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake.abort();
    await this.#running;
  }

  /** Scans a range now, whether it is due or not. Undefined: all of them. */
  hurry(range?: string): void {
    for (const { range: each } of configuredRanges(this.#options.config()))
      if (range === undefined || each.text === range) this.#states.delete(each.text);
    this.#wake.abort();
  }

  status(): readonly RangeStatus[] {
    return configuredRanges(this.#options.config()).map(
      ({ range }) => this.#status.get(range.text) ?? { range: range.text, ...this.#last(range.text), problems: [] },
    );
  }

  async #loop(): Promise<void> {
    const { clock, log, config } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const now = clock.wallNow();
      // What cannot be swept comes last: the routers that know its devices have been found by then.
      const ranges = configuredRanges(config()).toSorted((a, b) => Number(isSwept(b.range)) - Number(isSwept(a.range)));
      const due = ranges.find(({ range, settings }) =>
        isDue(
          {
            range: range.text,
            every: settings.every,
            ...(settings.window === undefined ? {} : { window: settings.window }),
          },
          this.#states.get(range.text),
          now,
          config().site.timezone,
        ),
      );
      if (due) {
        await this.#scan(due).catch((error: unknown) => {
          log.error('a scan failed inside siteward', { range: due.range.text, error });
          // Not again at once: what failed would fail as fast as the loop turns.
          this.#states.set(due.range.text, { range: due.range.text, started: now, finished: now, nextSlice: 0 });
        });
        continue;
      }
      this.#wake = new AbortController();
      const wake = AbortSignal.any([this.#wake.signal, this.#stopping.signal]);
      await clock.sleep(LOOK_EVERY, wake).catch(() => {});
    }
  }

  async #scan(due: ConfiguredRange): Promise<void> {
    const { clock, log, profiles, inventory, config, triesPath } = this.#options;
    const { range, settings } = due;
    const name = range.text;
    const before = this.#states.get(name);
    const goesOn = before !== undefined && before.finished === undefined;
    const started = goesOn ? before.started : clock.wallNow();
    const firstSlice = goesOn ? before.nextSlice : 0;
    await this.#note({ range: name, started, nextSlice: firstSlice });
    const gateway = await ownGateway();
    const tries = await readTries(triesPath);
    const pieces = slices(range);
    let slice = firstSlice;
    const closing = new AbortController();
    const result = await scan(
      {
        clock,
        profiles,
        gate: new Gate(configuredRanges(config()), ownBroadcasts()),
        targets: [range],
        tries,
        firstSlice,
        ...(isSwept(range) ? {} : { known: this.#knownFor(range) }),
        sticky: (address, mac) => stickyCredential(inventory, address, mac),
        onProgress: (progress) =>
          void this.#status.set(name, { range: name, progress, ...this.#last(name), problems: [] }),
        onSlice: async (sightings, { slices: done }) => {
          const asked = new Set(pieces.slice(slice, done).flat());
          slice = done;
          inventory.ingest(sightings, (address) => asked.has(address), gateway);
          await this.#note({ range: name, started, nextSlice: done });
          await writeTries(triesPath, tries, clock.wallNow());
          // The rest waits for the next window.
          if (!inWindow(settings.window, clock.wallNow(), config().site.timezone)) closing.abort();
        },
      },
      AbortSignal.any([this.#stopping.signal, closing.signal]),
    );
    await writeTries(triesPath, tries, clock.wallNow());
    const problems = [...result.problems, ...crowds(found(result.sightings))];
    this.#status.set(name, { range: name, ...this.#last(name), problems });
    for (const { code, message, hint } of problems)
      log.warn('a scan met a problem', { range: name, code, message, hint });
    if (!result.complete) return;
    inventory.scanned(name, settings.every);
    await this.#note({ range: name, started, finished: clock.wallNow(), nextSlice: 0 });
    const { packets, sightings } = result;
    log.info('a range was scanned', { range: name, answering: sightings.length, packets });
    this.#status.set(name, { range: name, ...this.#last(name), problems });
  }

  /** Routers are asked only while the window of their own range is open. */
  #knownFor(range: AddressRange): string[] {
    const { clock, config, inventory } = this.#options;
    const isOpen = (window: string | undefined) => inWindow(window, clock.wallNow(), config().site.timezone);
    const open = configuredRanges(config()).filter(({ settings }) => isOpen(settings.window));
    return knownFor(range, inventory.records(), (address) => open.some((each) => contains(each.range, address)));
  }

  async #note(state: ScanState): Promise<void> {
    this.#states.set(state.range, state);
    try {
      await writeScan(this.#options.database(), state);
    } catch (error) {
      this.#options.log.error('the state of a scan could not be written, after a restart it begins anew', {
        range: state.range,
        error,
      });
    }
  }

  #last(range: string): { readonly last?: ScanState } {
    const last = this.#states.get(range);
    return last ? { last } : {};
  }
}

/** Only while nothing shows that another device is there now. */
function stickyCredential(inventory: SiteInventory, address: string, mac: string | undefined): string | undefined {
  const record = inventory.at(address);
  const macs = record?.evidence.macs;
  if (mac !== undefined && macs && !macs.includes(mac)) return undefined;
  return record?.credential?.name;
}
