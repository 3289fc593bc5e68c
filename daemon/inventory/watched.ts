import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { DeviceClass, Milliseconds, Target } from '#collectors/contract.ts';
import type { Config, Credential, DeviceSettings } from '#config/schema.ts';

export type Check =
  | { readonly kind: 'icmp' }
  | { readonly kind: 'snmp' }
  | { readonly kind: 'tcp'; readonly port: number };

export interface Intervals {
  readonly availability: Milliseconds;
  readonly metrics: Milliseconds;
  readonly inventory: Milliseconds;
}

/** A device as the daemon watches it: its settings with everything looked up that they name. */
export interface WatchedDevice {
  readonly name: string;
  /** As written: an address, or a host name that `target.address` stands for once it is resolved. */
  readonly host: string;
  readonly target: Target;
  /** Absent: icmp, or snmp where ICMP never answered. */
  readonly checks?: readonly Check[];
  readonly parent?: string;
  readonly sla?: string;
  /** Who answers for its outages. */
  readonly party?: NonNullable<DeviceSettings['party']>;
  /** Equal for equal settings and secrets: a reload leaves such a device alone. */
  readonly fingerprint: string;
  intervals(learnt?: DeviceClass): Intervals;
}

/** The devices that this appliance polls, by the config alone. */
export function watchedDevices(config: Config): WatchedDevice[] {
  return config.devices
    .filter((device) => inShard(device, config.polling.shard))
    .map((device) => watchedDevice(device, config));
}

/** A device by its settings, wherever these come from. */
export function watchedDevice(settings: DeviceSettings, config: Config): WatchedDevice {
  const name = settings.name ?? settings.address;
  const credentials = settings.credentials.flatMap((credential): Credential[] => {
    const found = config.credentials[credential];
    return found ? [{ ...found, name: credential }] : [];
  });
  const checks = settings.checks?.map(parseCheck);
  const tcpPorts = (checks ?? []).flatMap((check) => (check.kind === 'tcp' ? [check.port] : []));
  return {
    name,
    host: settings.address,
    target: {
      name,
      address: settings.address,
      snmpPort: settings.port,
      tcpPorts,
      credentials,
      ...(settings.class ? { class: settings.class } : {}),
    },
    ...(checks ? { checks } : {}),
    ...(settings.parent === undefined ? {} : { parent: settings.parent }),
    ...(settings.sla === undefined ? {} : { sla: settings.sla }),
    ...(settings.party === undefined ? {} : { party: settings.party }),
    fingerprint: fingerprint([settings, config.polling], credentials),
    intervals: (learnt) => intervalsOf(settings, config.polling, settings.class ?? learnt),
  };
}

function intervalsOf(
  settings: DeviceSettings,
  polling: Config['polling'],
  deviceClass: DeviceClass | undefined,
): Intervals {
  const ofClass = deviceClass ? polling.classes[deviceClass] : undefined;
  const pick = (key: keyof Intervals) =>
    (settings.polling?.[key] ?? ofClass?.[key] ?? polling[key]) as number as Milliseconds;
  return { availability: pick('availability'), metrics: pick('metrics'), inventory: pick('inventory') };
}

function parseCheck(text: string): Check {
  if (text.startsWith('tcp/')) return { kind: 'tcp', port: Number(text.slice(4)) };
  return { kind: text === 'snmp' ? 'snmp' : 'icmp' };
}

/** Secrets go in as a digest, so that a changed one is seen and none is kept. */
function fingerprint(settings: unknown, credentials: readonly Credential[]): string {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const credential of credentials) {
    hash.update(JSON.stringify(credential));
    if (credential.version === '3')
      hash.update(`${credential.auth?.key.reveal()}\0${credential.privacy?.key.reveal()}`);
    else hash.update(credential.community.reveal());
  }
  return hash.digest('base64');
}

/** Which part of a large site a device belongs to, by its name, so that a move to another address changes nothing. */
export function inShard(device: Pick<DeviceSettings, 'name' | 'address'>, shard: Config['polling']['shard']): boolean {
  if (!shard) return true;
  const digest = createHash('sha256')
    .update(device.name ?? device.address)
    .digest();
  return digest.readUInt32BE(0) % shard.of === shard.index - 1;
}

export function isAddress(host: string): boolean {
  return isIP(host) !== 0;
}
