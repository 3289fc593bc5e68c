/** Closed sets of words that settings, profiles, ledgers and pages share. */

export const DEVICE_CLASSES = ['firewall', 'printer', 'server', 'switch', 'ap', 'ups', 'nas', 'other'] as const;
export type DeviceClass = (typeof DEVICE_CLASSES)[number];

/** The counters of a printer that a contract may bill. */
export const METERS = [
  'total',
  'mono',
  'color',
  'print',
  'print_mono',
  'print_color',
  'copy',
  'copy_mono',
  'copy_color',
  'fax',
  'scan',
  'large',
  'large_mono',
  'large_color',
  'duplex',
  // prtMarkerLifeCount beside a maker's own counters: what the engine did, to compare.
  'engine',
] as const;
export type Meter = (typeof METERS)[number];

/** Topics of readings. `first`: the first source that gives anything is taken. `all`: every source adds to it. */
export const AREAS = {
  uptime: 'first',
  cpu: 'first',
  load: 'first',
  memory: 'all',
  storage: 'all',
  interfaces: 'first',
  sensors: 'all',
  components: 'all',
  sessions: 'first',
  ha: 'first',
  vpn: 'all',
  licenses: 'all',
  poe: 'first',
  wireless: 'first',
  meters: 'first',
  supplies: 'first',
  trays: 'first',
  printer_status: 'first',
  printer_errors: 'first',
  printer_alerts: 'first',
  ups: 'all',
} as const satisfies Record<string, 'first' | 'all'>;
export type AreaName = keyof typeof AREAS;

/** What a profile tells of the device itself. */
export const IDENTITY_FIELDS = ['class', 'vendor', 'model', 'serial', 'version', 'sys_name'] as const;
export type IdentityField = (typeof IDENTITY_FIELDS)[number];
