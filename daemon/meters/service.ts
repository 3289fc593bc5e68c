/** The meters as the daemon holds them together: the sink that keeps reads, and what people ask and enter. */
import type { Clock, Observation } from '#collectors/contract.ts';
import type { Config } from '#config/schema.ts';
import type { Span } from '../calendar.ts';
import type { DeviceRecord } from '../inventory/record.ts';
import type { Logger } from '../log.ts';
import { MeterSink } from '../sinks/meters.ts';
import type { Ledger } from '../store/ledger.ts';
import { withAdopted } from './adopted.ts';
import type { DatabaseHolder } from './archive.ts';
import { decide, enterManual, type ManualRequest, type SegmentRequest } from './entering.ts';
import { MeterLedger } from './ledger.ts';
import { contentVersion } from './read.ts';
import { type MeterReport, meterReport } from './report.ts';
import { allTerms } from './terms.ts';

export interface MeterServiceOptions {
  /** The ledger's file. */
  readonly file: DatabaseHolder & Pick<Ledger, 'whenReopened'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly publish: (observation: Observation) => void;
  readonly askAgain: (device: string) => void;
  /** Content of a profile, as it is used. */
  readonly profile: (name: string) => unknown;
}

export class MeterService {
  readonly sink: MeterSink;
  readonly ledger: MeterLedger;
  readonly #clock: Clock;
  #config: Config | undefined;

  private constructor(options: MeterServiceOptions, ledger: MeterLedger) {
    const versions = new Map<string, string>();
    this.ledger = ledger;
    this.#clock = options.clock;
    this.sink = new MeterSink({
      ...options,
      ledger,
      profileVersion: (name) => {
        const version = versions.get(name) ?? contentVersion(options.profile(name) ?? null);
        versions.set(name, version);
        return version;
      },
    });
  }

  /** @throws StoreError as reading the ledger does. */
  static async open(options: MeterServiceOptions): Promise<MeterService> {
    const service = new MeterService(options, await MeterLedger.open(options.file));
    options.file.whenReopened(async () => {
      await service.ledger.reload();
      service.sink.refresh();
    });
    return service;
  }

  /** @param records of the inventory: what was adopted may be under a contract by that */
  apply(config: Config, records: readonly DeviceRecord[]): void {
    this.#config = withAdopted(config, records);
    this.sink.apply(allTerms(this.#config), config.storage.history_days);
  }

  /** @throws SitewardError when it cannot be what the panel showed. */
  async enter(request: ManualRequest): Promise<void> {
    await enterManual(this.ledger, this.sink.terms, request, this.#clock.wallNow());
    this.sink.refresh();
  }

  /** @throws SitewardError when there is no such read. */
  async decide(request: SegmentRequest): Promise<void> {
    await decide(this.ledger, request, this.#clock.wallNow());
    this.sink.refresh();
  }

  get timezone(): string {
    return this.#config?.site.timezone ?? 'UTC';
  }

  /** @throws Error before a config was applied. */
  async report(period: Span): Promise<MeterReport> {
    if (!this.#config) throw new Error('no config was applied yet');
    return await meterReport({ archive: this.ledger, config: this.#config, period, now: this.#clock.wallNow() });
  }
}
