import type { WallTime } from '#collectors/contract.ts';
import type { DeviceView } from './site-view.ts';

/** ISO 8601 with the offset of a time zone, to the millisecond: `2026-11-24T08:15:00.000+01:00`. */
export function isoTime(at: WallTime | number, timezone: string): string {
  const parts = formatter(timezone).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((item) => item.type === type)?.value ?? '';
  const offset = part('timeZoneName').replace('GMT', '').replace('\u2212', '-') || '+00:00';
  return `${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}:${part('second')}.${part('fractionalSecond')}${offset}`;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(timeZone: string): Intl.DateTimeFormat {
  let found = formatters.get(timeZone);
  if (!found) {
    found = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
      timeZoneName: 'longOffset',
    });
    formatters.set(timeZone, found);
  }
  return found;
}

/** A device as the contract's `devices` verb and `GET /api/v1/devices` give it. */
export function deviceJson(device: DeviceView, timezone: string): Record<string, unknown> {
  const { name, address, identity, state, since } = device;
  return {
    name,
    address,
    class: device.class,
    vendor: identity?.vendor ?? null,
    model: identity?.model ?? null,
    serial: identity?.serial ?? null,
    version: identity?.version ?? null,
    state,
    since: isoTime(since, timezone),
  };
}

/** Counters past 2^53 as text, so that no reader of JSON rounds them; all other numbers as numbers. */
export function jsonNumber(value: number | bigint): number | string {
  if (typeof value === 'number') return value;
  return value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= -BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value.toString();
}
