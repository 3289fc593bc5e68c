import { toDevice, toSite } from '../links.ts';
import type { Annotation, TableColumn } from '../panels.ts';
import { DEVICE, type Scope, selector } from '../promql.ts';
import { STATE_NUMBERS } from '../units.ts';

export const SITE_COLUMNS: readonly TableColumn[] = [
  { field: 'client', title: 'Client' },
  { field: 'site', title: 'Site', link: toSite() },
];

/** Who the row is about, with its links. */
export const DEVICE_COLUMNS: readonly TableColumn[] = [
  ...SITE_COLUMNS,
  { field: 'device', title: 'Device', link: toDevice() },
  { field: 'class', title: 'Class' },
];

/** Outages and maintenance as marked spans on every panel. */
export function outages(scope: Scope): Annotation {
  return {
    name: 'Outages',
    color: 'red',
    query: `${selector('siteward_device_state', scope, { state: '=~down|unreachable|maintenance' })} == 1`,
    title: '{{device}} {{state}}',
    tag: 'state',
  };
}

/** The state of each device as one number, the worse the larger. */
export function stateNumber(scope: Scope): string {
  const parts = (['down', 'unreachable', 'unknown', 'maintenance'] as const).map(
    (state) => `${STATE_NUMBERS[state]} * ${selector('siteward_device_state', scope, { state })}`,
  );
  return `sum by (${DEVICE}) (${parts.join(' or ')})`;
}

/** Devices that are in the state now. */
export function inState(state: string, scope: Scope = 'site'): string {
  return `${selector('siteward_device_state', scope, { state })} == 1`;
}

/** Share of a file system in use. */
export function filled(scope: Scope): string {
  return `${selector('siteward_filesystem_used_bytes', scope)} / ${selector('siteward_filesystem_size_bytes', scope)}`;
}
