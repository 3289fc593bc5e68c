import { ConfigSettings, type InfluxOutputSettings, type RemoteWriteOutputSettings } from '#config/schema.ts';

/** Settings as the config gives them, with its defaults. */
export function influxSettings(given: { url: string } & Record<string, unknown>): InfluxOutputSettings {
  const config = ConfigSettings.parse({
    site: { id: 'acme-hq', client: 'ACME Ltd' },
    outputs: { influx: [{ name: 'central', ...given }] },
  });
  const [settings] = config.outputs.influx;
  if (!settings) throw new Error('no output');
  return settings;
}

export function remoteWriteSettings(given: { url: string } & Record<string, unknown>): RemoteWriteOutputSettings {
  const config = ConfigSettings.parse({
    site: { id: 'acme-hq', client: 'ACME Ltd' },
    outputs: { remote_write: [{ name: 'mimir', ...given }] },
  });
  const [settings] = config.outputs.remote_write;
  if (!settings) throw new Error('no output');
  return settings;
}
