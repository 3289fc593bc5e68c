import { whenRaised } from '../influxql.ts';
import type { Annotation } from '../panels.ts';

export const WHERE = [
  { field: 'client', title: 'Client' },
  { field: 'site', title: 'Site' },
  { field: 'device', title: 'Device' },
] as const;
export const DEVICE = ['client', 'site', 'device'] as const;

export function outages(scope: 'site' | 'device'): Annotation {
  return {
    name: 'Outages',
    color: 'red',
    query: whenRaised(
      'siteward_device_state',
      { scope, where: { state: '/^(down|unreachable|maintenance)$/' } },
      'state',
    ),
    title: 'device',
    tag: 'state',
  };
}
