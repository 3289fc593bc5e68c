/** What is wrong with a device, from its state and its last readings. Pure. */
import type { Reading } from '#collectors/contract.ts';
import type { State } from '../availability/verdict.ts';
import { numberText, percentText, timeText, type Words } from './format.ts';

/** `bad` stops work, `warn` will. */
export type Severity = 'bad' | 'warn';

export interface Finding {
  readonly severity: Severity;
  /** In a stable form, the same in every language. */
  readonly code: string;
  readonly text: string;
}

const LOW_BATTERY = 0.3;
const LOW_SUPPLY = 0.1;
const FEW_DAYS = 7;
const FULL_DISK = 0.9;
const FULL_MEMORY = 0.95;
const FULL_SESSIONS = 0.9;
const LICENSE_WARNING_SECONDS = 30 * 86_400;
/** What printers say beside being out of something: these stop them. */
const STOPPING = new Set(['jammed', 'no_paper', 'no_toner', 'door_open', 'offline', 'service_requested']);
const KNOWN_ERRORS = [
  'jammed',
  'door_open',
  'no_paper',
  'low_paper',
  'no_toner',
  'low_toner',
  'offline',
  'service_requested',
] as const;

/** The worst first. `now` in seconds since 1970. */
export function findingsOf(state: State, readings: readonly Reading[], now: number, words: Words): Finding[] {
  const { findings } = words.messages;
  const ofState = stateFinding(state, words);
  if (ofState) return [ofState];
  const found: Finding[] = [];
  const sizes = sizesByMountpoint(readings);
  const errors = new Set(
    readings.filter(({ metric }) => metric === 'siteward_printer_error').map(({ labels }) => labels['error']),
  );
  const around = { now, words, sizes, sessionsLimit: sessionsLimit(readings) };
  for (const reading of readings) {
    const finding = readingFinding(reading, around);
    if (finding) found.push(finding);
  }
  for (const error of errors) {
    if (error === undefined) continue;
    const known = KNOWN_ERRORS.find((name) => name === error);
    const text = known ? findings[known] : findings.printerError(error.replaceAll('_', ' '));
    found.push({ severity: STOPPING.has(error) ? 'bad' : 'warn', code: `printer:${error}`, text });
  }
  const unique = new Map(found.map((finding) => [finding.text, finding]));
  return [...unique.values()].toSorted((a, b) => a.severity.localeCompare(b.severity));
}

function stateFinding(state: State, { messages: { findings } }: Words): Finding | undefined {
  switch (state) {
    case 'up':
      return undefined;
    case 'down':
      return { severity: 'bad', code: 'state:down', text: findings.silent };
    case 'unreachable':
      return { severity: 'warn', code: 'state:unreachable', text: findings.behind };
    case 'maintenance':
      return { severity: 'warn', code: 'state:maintenance', text: findings.maintenance };
    case 'unknown':
      return { severity: 'warn', code: 'state:unknown', text: findings.unknown };
    default:
      return state satisfies never;
  }
}

interface Around {
  readonly now: number;
  readonly words: Words;
  readonly sizes: ReadonlyMap<string, number>;
  readonly sessionsLimit: number | undefined;
}

function readingFinding({ metric, labels, value }: Reading, around: Around): Finding | undefined {
  const { words, now } = around;
  const { findings } = words.messages;
  const number = Number(value);
  const label = (name: string) => labels[name] ?? '';
  switch (metric) {
    case 'siteward_ups_on_battery':
      return number === 1 ? { severity: 'bad', code: metric, text: findings.onBattery } : undefined;
    case 'siteward_ups_battery_charge_ratio':
      return number < LOW_BATTERY
        ? { severity: 'bad', code: metric, text: findings.batteryLow(percentText(number, words)) }
        : undefined;
    case 'siteward_printer_supply_level_ratio': {
      const what = label('description') || label('supply');
      if (number <= 0) return { severity: 'bad', code: metric, text: findings.supplyEmpty(what) };
      return number <= LOW_SUPPLY
        ? { severity: 'warn', code: metric, text: findings.supplyLow(what, percentText(number, words)) }
        : undefined;
    }
    case 'siteward_printer_supply_days_left':
      return number <= FEW_DAYS
        ? {
            severity: 'warn',
            code: metric,
            text: findings.supplyDays(label('supply'), numberText(Math.max(0, number), words)),
          }
        : undefined;
    case 'siteward_component_ok':
      return number === 0
        ? { severity: 'bad', code: metric, text: findings.component(label('component') || label('kind')) }
        : undefined;
    case 'siteward_license_expiry_timestamp_seconds': {
      if (number - now > LICENSE_WARNING_SECONDS) return undefined;
      const date = timeText(number * 1000, words, 'date');
      return number < now
        ? { severity: 'bad', code: metric, text: findings.licenseOver(label('license'), date) }
        : { severity: 'warn', code: metric, text: findings.license(label('license'), date) };
    }
    case 'siteward_filesystem_used_bytes': {
      const size = around.sizes.get(label('mountpoint'));
      return size !== undefined && size > 0 && number / size >= FULL_DISK
        ? {
            severity: number / size >= 0.97 ? 'bad' : 'warn',
            code: metric,
            text: findings.filesystem(label('mountpoint'), percentText(number / size, words)),
          }
        : undefined;
    }
    case 'siteward_memory_used_ratio':
      return number >= FULL_MEMORY
        ? { severity: 'warn', code: metric, text: findings.memory(percentText(number, words)) }
        : undefined;
    case 'siteward_vpn_tunnel_up':
      return number === 0 ? { severity: 'warn', code: metric, text: findings.tunnel(label('tunnel')) } : undefined;
    case 'siteward_firewall_sessions': {
      const limit = around.sessionsLimit;
      return limit !== undefined && limit > 0 && number / limit >= FULL_SESSIONS
        ? { severity: 'warn', code: metric, text: findings.sessions(percentText(number / limit, words)) }
        : undefined;
    }
    default:
      return undefined;
  }
}

function sizesByMountpoint(readings: readonly Reading[]): Map<string, number> {
  return new Map(
    readings
      .filter(({ metric }) => metric === 'siteward_filesystem_size_bytes')
      .map(({ labels, value }) => [labels['mountpoint'] ?? '', Number(value)]),
  );
}

function sessionsLimit(readings: readonly Reading[]): number | undefined {
  const limit = readings.find(({ metric }) => metric === 'siteward_firewall_sessions_limit');
  return limit && Number(limit.value);
}
