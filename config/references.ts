import { holidayFault } from './holidays.ts';
import { overlaps, readRange, sizeFault } from './ranges.ts';
import type { Config } from './schema.ts';
import { parseServiceHours } from './service-hours.ts';

export interface ReferenceFault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** What no single setting can know: names that must exist, must be unique, must not form a circle. */
export function crossChecks(config: Config): ReferenceFault[] {
  return [
    ...devices(config),
    ...parents(config),
    ...discovery(config),
    ...hours(config),
    ...calendarDates(config),
    ...outputs(config),
    ...exposure(config),
    ...users(config),
  ];
}

function* devices({ devices, credentials, slas }: Config): Generator<ReferenceFault> {
  const names = new Map<string, number>();
  const addresses = new Map<string, number>();
  for (const [index, device] of devices.entries()) {
    const name = device.name ?? device.address;
    const twin = names.get(name);
    if (twin !== undefined)
      yield {
        path: ['devices', index, device.name ? 'name' : 'address'],
        message: `${JSON.stringify(name)} is already the name of devices[${twin}] (write another name)`,
      };
    names.set(name, index);
    const endpoint = `${device.address} ${device.port}`;
    const other = addresses.get(endpoint);
    if (other !== undefined)
      yield {
        path: ['devices', index, 'address'],
        message: `${device.address} is already the address of devices[${other}] (remove one of them, or write another port)`,
      };
    addresses.set(endpoint, index);
    for (const [place, credential] of device.credentials.entries()) {
      if (!Object.hasOwn(credentials, credential))
        yield {
          path: ['devices', index, 'credentials', place],
          message: missing('credentials', credential, credentials),
        };
    }
    if (device.sla !== undefined && !Object.hasOwn(slas, device.sla))
      yield { path: ['devices', index, 'sla'], message: missing('slas', device.sla, slas) };
  }
}

function missing(section: string, name: string, known: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(known);
  return `there is no ${JSON.stringify(name)} under ${section} (${names.length > 0 ? `write one of ${names.join(', ')}` : `add it under ${section}`})`;
}

function* parents({ devices }: Config): Generator<ReferenceFault> {
  const parentOf = new Map(devices.map((device) => [device.name ?? device.address, device.parent]));
  for (const [index, device] of devices.entries()) {
    if (device.parent === undefined) continue;
    const path = ['devices', index, 'parent'];
    if (!parentOf.has(device.parent)) {
      yield {
        path,
        message: `there is no device ${JSON.stringify(device.parent)} (write the name of the device through which this one is reached)`,
      };
      continue;
    }
    const own = device.name ?? device.address;
    const seen = new Set<string>();
    for (
      let above: string | undefined = device.parent;
      above !== undefined && !seen.has(above);
      above = parentOf.get(above)
    ) {
      if (above === own) {
        yield { path, message: `${own} would be its own parent (break the circle)` };
        break;
      }
      seen.add(above);
    }
  }
}

function* discovery({ discovery: { ranges }, credentials }: Config): Generator<ReferenceFault> {
  for (const [index, range] of ranges.entries()) {
    for (const [place, credential] of range.credentials.entries()) {
      if (!Object.hasOwn(credentials, credential))
        yield {
          path: ['discovery', 'ranges', index, 'credentials', place],
          message: missing('credentials', credential, credentials),
        };
    }
    yield* extent(ranges, index);
  }
}

/** A range that no scan ends, and two that would offer one device the credentials of both. */
function* extent(ranges: Config['discovery']['ranges'], index: number): Generator<ReferenceFault> {
  const own = readRange(ranges[index]?.range ?? '');
  if (!own) return;
  const path = ['discovery', 'ranges', index, 'range'];
  const size = sizeFault(own);
  if (size) yield { path, message: `${size.message} (${size.advice})` };
  for (const [earlier, { range }] of ranges.slice(0, index).entries()) {
    const other = readRange(range);
    if (other && overlaps(own, other))
      yield {
        path,
        message: `${own.text} overlaps ${other.text} of ranges[${earlier}], so that it is not clear whose credentials are meant (write ranges that do not overlap)`,
      };
  }
}

/** Dates that no calendar has, and countries whose holidays nobody knows. */
function* calendarDates({ slas, maintenance }: Config): Generator<ReferenceFault> {
  for (const [name, { holidays }] of Object.entries(slas)) {
    for (const [index, date] of (holidays?.dates ?? []).entries())
      yield* dateFault(['slas', name, 'holidays', 'dates', index], date);
    if (holidays?.country === undefined) continue;
    const message = holidayFault(holidays.country, holidays.region);
    const wrong = message?.includes('region') ? 'region' : 'country';
    if (message) yield { path: ['slas', name, 'holidays', wrong], message };
  }
  for (const [index, { starts, until, announced_at }] of maintenance.entries()) {
    yield* dateFault(['maintenance', index, 'starts'], starts);
    if (until !== undefined) yield* dateFault(['maintenance', index, 'until'], until);
    if (announced_at !== undefined) yield* dateFault(['maintenance', index, 'announced_at'], announced_at);
    if (until !== undefined && until < starts.slice(0, 10))
      yield {
        path: ['maintenance', index, 'until'],
        message: `${until} is before it starts (write ${starts.slice(0, 10)} or later)`,
      };
  }
}

function* dateFault(path: readonly PropertyKey[], text: string): Generator<ReferenceFault> {
  const [date = '', time = '00:00'] = text.split('T');
  const parsed = new Date(`${date}T00:00:00Z`);
  const real = !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date);
  if (real && /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/.test(time)) return;
  yield {
    path,
    message: `${JSON.stringify(text)} is on no calendar or clock (write a real one, such as 2026-12-05${text.includes('T') ? 'T22:00' : ''})`,
  };
}

/** Hours are a language of their own: read here, where the fault gets its line and column. */
function* hours({ slas, discovery: { ranges } }: Config): Generator<ReferenceFault> {
  for (const [name, sla] of Object.entries(slas)) {
    const read = parseServiceHours(sla.service_hours);
    if (!read.ok)
      yield { path: ['slas', name, 'service_hours'], message: `${JSON.stringify(sla.service_hours)}: ${read.message}` };
  }
  for (const [index, { window }] of ranges.entries()) {
    const read = window === undefined ? undefined : parseServiceHours(window);
    if (read && !read.ok)
      yield {
        path: ['discovery', 'ranges', index, 'window'],
        message: `${JSON.stringify(window)}: ${read.message}`,
      };
  }
}

function* outputs({ outputs: { influx, remote_write } }: Config): Generator<ReferenceFault> {
  const names = new Set<string>();
  for (const [kind, list] of Object.entries({ influx, remote_write })) {
    for (const [index, output] of list.entries()) {
      if (names.has(output.name))
        yield {
          path: ['outputs', kind, index, 'name'],
          message: `${JSON.stringify(output.name)} is already the name of an output (write another name)`,
        };
      names.add(output.name);
    }
  }
}

/** Off loopback everybody on the client's network could read the page: that needs a login, or a word that it does not. */
function* exposure({ http }: Config): Generator<ReferenceFault> {
  const host = http.listen.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const port = Number(http.listen.slice(http.listen.lastIndexOf(':') + 1));
  if (port > 65535)
    yield { path: ['http', 'listen'], message: `${port} is not a port (write 1 to 65535, or 0 for a free one)` };
  const loopback = host === '::1' || host === 'localhost' || /^127\.\d+\.\d+\.\d+$/.test(host);
  const guarded = (http.auth?.users.length ?? 0) + (http.auth?.tokens.length ?? 0) > 0;
  if (!loopback && !guarded && !http.allow_anonymous) {
    yield {
      path: ['http', 'listen'],
      message: `${host} can be reached by others, and nobody would have to log in (write 127.0.0.1:${port}, add http.auth, or write http.allow_anonymous: true)`,
    };
  }
}

function* users({ http }: Config): Generator<ReferenceFault> {
  const names = new Set<string>();
  for (const [index, user] of (http.auth?.users ?? []).entries()) {
    if (names.has(user.name))
      yield {
        path: ['http', 'auth', 'users', index, 'name'],
        message: `${JSON.stringify(user.name)} is already a user (write another name)`,
      };
    names.add(user.name);
  }
}
