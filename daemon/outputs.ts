import type { Clock, DeviceClass, Observation } from '#collectors/contract.ts';
import type { LoadedConfig } from '#config/load.ts';
import type { Config, InfluxOutputSettings, RemoteWriteOutputSettings } from '#config/schema.ts';
import type { OutputStatus as ShownStatus } from './exposition/self.ts';
import type { Logger } from './log.ts';
import { openInfluxSink } from './sinks/influx.ts';
import { openRemoteWriteSink } from './sinks/remote-write.ts';
import type { Sink } from './sinks/sink.ts';
import { total } from './spool/counts.ts';
import { openSpool, type Spool } from './spool/spool.ts';
import type { OutputStatus, SpooledOutput } from './spool/spooled-sink.ts';
import type { Store } from './store/store.ts';

export interface OutputsOptions {
  readonly store: Store;
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Opened {
  readonly output: SpooledOutput;
  /** Equal for equal settings: a reload leaves such an output alone. */
  readonly fingerprint: string;
}

/** All configured outputs as one sink: what is accepted goes to each, and a reload opens, closes and replaces them. */
export class Outputs implements Sink {
  readonly name = 'outputs';
  readonly #options: OutputsOptions;
  readonly #opened = new Map<string, Opened>();
  #spool: Spool | undefined;

  constructor(options: OutputsOptions) {
    this.#options = options;
  }

  /** Brings the outputs in line with a config. The spool is opened with the first of them. */
  async apply({ config }: LoadedConfig): Promise<void> {
    const { influx, remote_write } = config.outputs;
    const wanted = new Map([
      ...influx.map(
        (settings) =>
          [
            settings.name,
            {
              fingerprint: fingerprint('influx', settings, config),
              open: (spool: Spool) => this.#openInflux(settings, config, spool),
            },
          ] as const,
      ),
      ...remote_write.map(
        (settings) =>
          [
            settings.name,
            {
              fingerprint: fingerprint('remote_write', settings, config),
              open: (spool: Spool) => this.#openRemoteWrite(settings, config, spool),
            },
          ] as const,
      ),
    ]);
    for (const [name, { output, fingerprint: present }] of this.#opened) {
      if (wanted.get(name)?.fingerprint === present) continue;
      this.#opened.delete(name);
      await output.close();
    }
    if (wanted.size === 0) return;
    const { store, directory, log, clock } = this.#options;
    this.#spool ??= await openSpool({ store, directory, freeFloor: config.storage.free_floor, log, clock });
    for (const [name, { open, fingerprint: wantedNow }] of wanted) {
      if (!this.#opened.has(name)) this.#opened.set(name, { output: await open(this.#spool), fingerprint: wantedNow });
    }
  }

  accept(observation: Observation): void {
    for (const { output } of this.#opened.values()) output.accept(observation);
  }

  forget(device: string): void {
    for (const { output } of this.#opened.values()) output.forget(device);
  }

  async flush(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#opened.values()].map(({ output }) => output.flush(signal)));
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#opened.values()].map(({ output }) => output.close()));
    await this.#spool?.close();
  }

  status(): OutputStatus[] {
    return [...this.#opened.values()].map(({ output }) => output.status());
  }

  /** What `/metrics` shows of each. */
  shown(): ShownStatus[] {
    return this.status().map((status) => ({
      output: status.output,
      points: status.pending,
      bytes: status.bytes,
      ...(status.oldestAt === undefined ? {} : { oldest: status.oldestAt / 1000 }),
      outcomes: { written: status.written, rejected: status.rejected, dropped: total(status.dropped) },
      produced: status.produced,
      quarantined: status.quarantined,
      dropped: status.dropped,
    }));
  }

  async #openInflux(settings: InfluxOutputSettings, config: Config, spool: Spool): Promise<SpooledOutput> {
    const classes = new Map(
      config.devices.flatMap(({ name, address, class: stated }): [string, DeviceClass][] =>
        stated ? [[name ?? address, stated]] : [],
      ),
    );
    const { log, clock } = this.#options;
    return await openInfluxSink({
      settings,
      site: config.site,
      spool,
      classOf: (device) => classes.get(device),
      log,
      clock,
    });
  }

  async #openRemoteWrite(settings: RemoteWriteOutputSettings, config: Config, spool: Spool): Promise<SpooledOutput> {
    const { log, clock } = this.#options;
    return await openRemoteWriteSink({ settings, site: config.site, spool, log, clock });
  }
}

/** Secrets print as `<secret>`, so a new token alone changes nothing here; its text is added. */
function fingerprint(
  kind: string,
  settings: InfluxOutputSettings | RemoteWriteOutputSettings,
  { site, devices }: Config,
): string {
  const secrets = [settings.token?.reveal(), settings.password?.reveal()];
  return JSON.stringify([
    kind,
    settings,
    secrets,
    site.id,
    site.client,
    devices.map(({ name, class: stated }) => stated && [name, stated]),
  ]);
}
