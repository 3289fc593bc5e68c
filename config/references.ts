import type { Config } from './schema.ts';

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
