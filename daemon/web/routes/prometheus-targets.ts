import { z } from 'zod';
import type { WatchedDevice } from '../../inventory/watched.ts';
import { json } from '../answer.ts';
import type { AddRoutes } from '../route.ts';
import type { DeviceView, SiteView } from '../site-view.ts';

const several = z.union([z.string(), z.array(z.string())]).optional();
const Query = z.object({
  exporter: z.enum(['snmp', 'blackbox']).optional(),
  class: several,
  vendor: several,
  device: several,
});

/** A group as Prometheus reads it (HTTP SD). */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** http_sd: the watched devices as targets for snmp_exporter and blackbox_exporter. */
export const prometheusTargetRoutes: AddRoutes = (router, { view, watched }) => {
  router.add({
    method: 'get',
    path: '/api/v1/prometheus/targets',
    access: 'metrics',
    summary: 'The devices as targets for Prometheus (http_sd_configs), with what is known of them as labels.',
    query: Query,
    handle: ({ query }) =>
      json(
        view
          .devices()
          .filter((device) => fits(device, query))
          .flatMap((device) => targetGroup(device, watched?.(device.name), view.site, query.exporter) ?? []),
      ),
  });
};

function fits(device: DeviceView, query: z.output<typeof Query>): boolean {
  const among = (wanted: string | string[] | undefined, value: string) =>
    wanted === undefined || [wanted].flat().some((each) => each.toLowerCase() === value.toLowerCase());
  return (
    among(query.class, device.class) &&
    among(query.vendor, device.identity?.vendor ?? '') &&
    among(query.device, device.name)
  );
}

const DEFAULT_PORT = 161;

/** Names of credentials, never what is in them: snmp_exporter has its own under the same name. */
export function targetGroup(
  device: DeviceView,
  watched: Pick<WatchedDevice, 'target'> | undefined,
  site: SiteView['site'],
  exporter?: 'snmp' | 'blackbox',
): TargetGroup | undefined {
  const { credentials = [], snmpPort = DEFAULT_PORT } = watched?.target ?? {};
  const auth = credentials[0]?.name;
  if (exporter === 'snmp' && auth === undefined) return undefined;
  const plain = device.address.includes(':') ? `[${device.address}]` : device.address;
  const target = exporter === 'snmp' && snmpPort !== DEFAULT_PORT ? `${plain}:${snmpPort}` : device.address;
  const { identity } = device;
  const labels = {
    device: device.name,
    class: device.class,
    vendor: identity?.vendor,
    model: identity?.model,
    serial: identity?.serial,
    sys_name: identity?.sysName,
    profile: identity?.profile,
    site: site.id,
    client: site.client,
    address: device.address,
    snmp_port: `${snmpPort}`,
    auth,
    module: device.class === 'printer' ? 'printer_mib' : 'if_mib',
  };
  const known = Object.entries(labels).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    targets: [target],
    labels: Object.fromEntries(known.map(([key, value]) => [`__meta_siteward_${key}`, value])),
  };
}
