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
