/** Adopted devices as the config would have them: to be watched beside its own, and to be moved into it. Pure. */
import type { Config, DeviceSettings } from '#config/schema.ts';
import type { DeviceRecord } from './record.ts';
import { credentialsAt } from './scope.ts';
import { inShard, type WatchedDevice, watchedDevice } from './watched.ts';

/** Devices that were adopted and are not in the config too. One whose place another has taken has no address to ask. */
export function adoptedDevices(records: readonly DeviceRecord[], config: Config): WatchedDevice[] {
  const names = new Set(config.devices.map(({ name, address }) => name ?? address));
  const adopted = records.filter(
    ({ state, name, addresses }) => state === 'adopted' && addresses.length > 0 && !names.has(name ?? ''),
  );
  const known = new Set([...names, ...adopted.flatMap(({ name }) => name ?? [])]);
  return adopted
    .flatMap((record) => settingsOf(record, config, known) ?? [])
    .filter((settings) => inShard(settings, config.polling.shard))
    .map((settings) => watchedDevice(settings, config));
}

/** What the config would say of it. */
export function settingsOf(
  { name, addresses, snmpPort, credential, settings }: DeviceRecord,
  config: Config,
  known: ReadonlySet<string>,
): DeviceSettings | undefined {
  const [address] = addresses;
  if (name === undefined || address === undefined) return undefined;
  // Only what worked for it, and only while its range still offers it: never outside.
  const credentials = credentialsAt(config, address).filter((each) => each.name === credential?.name);
  const { class: deviceClass, sla, parent, polling } = settings;
  return {
    name,
    address,
    port: snmpPort,
    credentials: credentials.map((each) => each.name),
    ...(deviceClass !== undefined && { class: deviceClass }),
    ...(sla !== undefined && Object.hasOwn(config.slas, sla) && { sla }),
    ...(parent !== undefined && parent !== name && known.has(parent) && { parent }),
    ...(polling !== undefined && { polling }),
  };
}
