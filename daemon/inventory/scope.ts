/** Which addresses a scan may contact and with which credentials: from the config, and from what a person typed. Pure. */
import { Gate } from '#collectors/discovery/gate.ts';
import type { ScanRange } from '#collectors/discovery/scan.ts';
import { SitewardError } from '#config/errors.ts';
import { type AddressRange, contains, covers, isLoopback, overlaps, parseRange, readRange } from '#config/ranges.ts';
import type { Config, Credential } from '#config/schema.ts';
import { Secret } from '#config/secret.ts';
import type { DeviceRecord } from './record.ts';

type RangeSettings = Config['discovery']['ranges'][number];

/** A configured range, read. */
export interface ConfiguredRange extends ScanRange {
  readonly settings: RangeSettings;
}

/** The ranges of the config with the credentials that they name. */
export function configuredRanges(config: Config): readonly ConfiguredRange[] {
  return config.discovery.ranges.map((settings) => ({
    settings,
    range: parseRange(settings.range),
    exclude: settings.exclude.map(parseRange),
    credentials: settings.credentials.flatMap((name) => credentialNamed(config, name) ?? []),
    maxPacketsPerSecond: settings.max_packets_per_second,
    port: settings.port,
    nmap: settings.nmap,
  }));
}

/** The configured range that an address lies in. */
export function rangeAt(config: Config, address: string): ConfiguredRange | undefined {
  return configuredRanges(config).find(({ range }) => contains(range, address));
}

/** The configured range that an address lies in, by its text; for many addresses. */
export function rangeNames(config: Config): (address: string) => string | undefined {
  const ranges = configuredRanges(config);
  return (address) => ranges.find(({ range }) => contains(range, address))?.range.text;
}

/** What may be offered at an address: what its range names; on loopback, which nobody else hears, anything. */
export function credentialsAt(config: Config, address: string): readonly Credential[] {
  const inside = rangeAt(config, address);
  if (inside) return inside.credentials;
  const alone = readRange(address);
  return alone && isLoopback(alone) ? allCredentials(config) : [];
}

export function credentialNamed(config: Config, name: string): Credential | undefined {
  const settings = Object.hasOwn(config.credentials, name) ? config.credentials[name] : undefined;
  return settings && { ...settings, name };
}

export interface CommandLineScope {
  readonly gate: Gate<ScanRange>;
  /** What was asked for, in canonical form. */
  readonly targets: readonly AddressRange[];
}

export interface CommandLine {
  readonly ranges: readonly string[];
  readonly config?: Config;
  /** From `--credentials` or `--community`: offered instead of those of the range. */
  readonly credentials?: readonly Credential[];
  readonly never?: Iterable<string>;
}

const DEFAULT_RATE = 200;

/**
 * What `siteward discover RANGE…` may contact: all of it has to be loopback, or inside a range of the config; without a
 * config whatever is typed is meant.
 * @throws SitewardError `BAD_RANGE`, `RANGE_TOO_LARGE`, or `RANGE_OUTSIDE` where the config does not allow it
 */
export function commandLineScope({ ranges, config, credentials, never }: CommandLine): CommandLineScope {
  const configured = config ? configuredRanges(config) : [];
  const wanted = (ranges.length > 0 ? ranges : configured.map(({ range }) => range.text)).map(parseRange);
  if (wanted.length === 0)
    throw new SitewardError(
      'NO_RANGE',
      'nothing says what to scan',
      'write a range, such as 192.0.2.0/24, or add discovery.ranges to the config',
    );
  const outside = config ? wanted.filter((range) => !isLoopback(range) && !isInside(range, configured)) : [];
  if (outside.length > 0)
    throw new SitewardError(
      'RANGE_OUTSIDE',
      `${outside.map(({ text }) => text).join(', ')} ${outside.length === 1 ? 'is' : 'are'} outside the ranges of the config`,
      `add it under discovery.ranges, with its credentials; there ${configured.length === 0 ? 'is none' : `is ${configured.map(({ range }) => range.text).join(', ')}`}`,
    );
  const offered = credentials;
  const own = configured
    .filter(({ range }) => wanted.some((each) => overlaps(each, range)))
    .map((range) => (offered ? { ...range, credentials: offered } : range));
  // Loopback is this machine: what is offered there leaves it to nobody.
  const typed = wanted
    .filter((range) => !isInside(range, configured))
    .map(
      (range): ScanRange => ({
        range,
        exclude: [],
        credentials: offered ?? allCredentials(config),
        maxPacketsPerSecond: DEFAULT_RATE,
        nmap: false,
      }),
    );
  return { gate: new Gate<ScanRange>([...own, ...typed], never), targets: wanted };
}

/** Without a config, what most devices are delivered with. */
function allCredentials(config: Config | undefined): readonly Credential[] {
  if (!config) return [{ name: 'public', version: '2c', community: new Secret('public') }];
  return Object.keys(config.credentials).flatMap((name) => credentialNamed(config, name) ?? []);
}

function isInside(range: AddressRange, configured: readonly ScanRange[]): boolean {
  return configured.some((each) => covers(each.range, range));
}

/** Whom to ask about a range that cannot be swept: the devices known there, and routers and switches that may be asked. */
export function knownFor(
  range: AddressRange,
  records: readonly Pick<DeviceRecord, 'state' | 'addresses' | 'identity'>[],
  mayAsk: (address: string) => boolean,
): string[] {
  return records.flatMap(({ state, addresses, identity }) => {
    if (state === 'joined') return [];
    const own = addresses.filter((address) => contains(range, address));
    if (identity?.class !== 'firewall' && identity?.class !== 'switch') return own;
    // A router tells the same tables at each of its addresses.
    const first = addresses.find(mayAsk);
    return first === undefined ? own : [...own, first];
  });
}
