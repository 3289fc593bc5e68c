import type { Clock } from '#collectors/contract.ts';
import type { Config, RemoteWriteOutputSettings } from '#config/schema.ts';
import type { Logger } from '#daemon/log.ts';
import { remoteWriteDialect } from '#daemon/remote-write/dialect.ts';
import { SERIES } from '#daemon/remote-write/format.ts';
import { SeriesEncoder } from '#daemon/remote-write/series-encoder.ts';
import { Deliverer } from '#daemon/spool/deliverer.ts';
import type { Spool } from '#daemon/spool/spool.ts';
import { type SpooledOutput, SpooledSink } from '#daemon/spool/spooled-sink.ts';
import { Transport } from '#daemon/spool/transport.ts';

export interface RemoteWriteSinkSettings {
  readonly settings: RemoteWriteOutputSettings;
  readonly site: Pick<Config['site'], 'id' | 'client'>;
  readonly spool: Spool;
  readonly log: Logger;
  readonly clock: Clock;
}

/** One remote_write output: samples of the series of `/metrics`, on disk before they are sent, each series in order. */
export async function openRemoteWriteSink(given: RemoteWriteSinkSettings): Promise<SpooledOutput> {
  const { settings, site, log, clock } = given;
  const spool = await given.spool.output(settings.name, {
    format: SERIES,
    maxBytes: settings.max_bytes,
    maxAge: settings.max_age,
  });
  const deliverer = new Deliverer({
    spool,
    transport: new Transport(settings),
    dialect: remoteWriteDialect(settings, () => clock.wallNow()),
    timeout: settings.timeout,
    maxBytesPerSecond: settings.max_bytes_per_second,
    // A Prometheus without an out-of-order window would refuse the backlog once it has seen something newer.
    overtaking: false,
    log,
    clock,
  });
  deliverer.start();
  const encoder = new SeriesEncoder({ client: site.client, site: site.id });
  return new SpooledSink({ name: settings.name, dialect: 'remote_write', spool, deliverer, encoder, log, clock });
}
