import type { Clock, DeviceClass, Observation } from '#collectors/contract.ts';
import type { Config, InfluxOutputSettings } from '#config/schema.ts';
import { influxDialect } from '#daemon/influx/dialects.ts';
import { encodeLines, type LineSettings } from '#daemon/influx/line-encoder.ts';
import type { Logger } from '#daemon/log.ts';
import { Deliverer } from '#daemon/spool/deliverer.ts';
import { LINES } from '#daemon/spool/records.ts';
import type { Interruption } from '#daemon/spool/sending.ts';
import type { Spool } from '#daemon/spool/spool.ts';
import {
  type EncodedRecord,
  type ObservationEncoder,
  type SpooledOutput,
  SpooledSink,
} from '#daemon/spool/spooled-sink.ts';
import { Transport } from '#daemon/spool/transport.ts';

export interface InfluxSinkSettings {
  readonly settings: InfluxOutputSettings;
  readonly site: Pick<Config['site'], 'id' | 'client'>;
  readonly spool: Spool;
  /** The class that the config states for a device; else what the device says it is. */
  readonly classOf?: (device: string) => DeviceClass | undefined;
  readonly log: Logger;
  readonly clock: Clock;
}

/** One InfluxDB or VictoriaMetrics output: line protocol, on disk before it is sent. */
export async function openInfluxSink(given: InfluxSinkSettings): Promise<SpooledOutput> {
  const { settings, site, log, clock } = given;
  const spool = await given.spool.output(settings.name, {
    format: LINES,
    maxBytes: settings.max_bytes,
    maxAge: settings.max_age,
  });
  const deliverer = new Deliverer({
    spool,
    transport: new Transport(settings),
    dialect: influxDialect(settings, () => clock.wallNow()),
    timeout: settings.timeout,
    maxBytesPerSecond: settings.max_bytes_per_second,
    overtaking: true,
    repair: repairOf(settings, log, clock),
    log,
    clock,
  });
  deliverer.start();
  const lines: LineSettings = { client: site.client, site: site.id, precision: settings.precision };
  const encoder = new LineObservationEncoder(lines, given.classOf);
  return new SpooledSink({ name: settings.name, dialect: settings.dialect, spool, deliverer, encoder, log, clock });
}

/** Remembers the class of each device, which only the answers to some questions tell. */
class LineObservationEncoder implements ObservationEncoder {
  readonly #settings: LineSettings;
  readonly #stated: (device: string) => DeviceClass | undefined;
  readonly #classes = new Map<string, DeviceClass>();

  constructor(settings: LineSettings, stated: (device: string) => DeviceClass | undefined = () => undefined) {
    this.#settings = settings;
    this.#stated = stated;
  }

  encode(observation: Observation): { records: readonly EncodedRecord[]; refused: number } {
    const { device, identity } = observation;
    if (identity) this.#classes.set(device, identity.class);
    const deviceClass = this.#stated(device) ?? this.#classes.get(device);
    const { lines, refused } = encodeLines(observation, deviceClass, this.#settings);
    return { records: lines.map(({ text, important }) => ({ bytes: Buffer.from(`${text}\n`), important })), refused };
  }

  forget(device: string): readonly EncodedRecord[] {
    this.#classes.delete(device);
    return [];
  }
}

/** A missing database or retention policy is made, where the config allows it and the receiver has such words. */
function repairOf(settings: InfluxOutputSettings, log: Logger, clock: Clock) {
  if (settings.dialect !== 'influx1' || !settings.create_database) return undefined;
  return async ({ message }: Interruption, signal: AbortSignal): Promise<boolean> => {
    if (!/not found/i.test(message)) return false;
    const { InfluxAdmin } = await import('#daemon/influx/admin.ts');
    await new InfluxAdmin(settings, clock).prepare(signal);
    log.info('the database was made ready', { output: settings.name, database: settings.database });
    return true;
  };
}
