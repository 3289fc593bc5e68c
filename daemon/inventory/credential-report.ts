/** Who answers to which credential, how much each protects, and what changed. Pure; never prints what is in a credential. */
import type { Config, Credential } from '#config/schema.ts';
import { isoInstant, type Span } from '../calendar.ts';
import type { ReportDocument, Table } from '../reports/document.ts';
import type { KeptEvent } from './ledger.ts';
import type { DeviceRecord } from './record.ts';
import { credentialNamed } from './scope.ts';

export interface CredentialRow {
  readonly device: string;
  readonly address: string;
  readonly class: string | null;
  readonly credential: string;
  readonly version: Credential['version'];
  readonly level: string | null;
  /** Why a stranger could read it too; empty where nothing is known against it. */
  readonly weaknesses: readonly string[];
}

const COMMON_COMMUNITIES = new Set(['public', 'private', 'community', 'snmp', 'admin', 'cisco', 'monitor', 'write']);

/** What is weak about a credential, in the order of gravity. */
export function weaknesses(credential: Credential): readonly string[] {
  if (credential.version !== '3') {
    const common = COMMON_COMMUNITIES.has(credential.community.reveal().toLowerCase());
    return [
      ...(common ? ['its community is one that everybody tries (public or the like)'] : []),
      `SNMPv${credential.version} sends the community in clear text`,
    ];
  }
  const { level, auth, privacy } = credential;
  return [
    ...(level === 'no_auth_no_priv' ? ['SNMPv3 without authentication: whoever knows the user may read'] : []),
    ...(level === 'auth_no_priv' ? ['SNMPv3 without privacy: what is read goes in clear text'] : []),
    ...(auth?.protocol === 'md5' ? ['authentication by MD5'] : []),
    ...(privacy?.protocol === 'des' ? ['privacy by DES'] : []),
  ];
}

const CHANGES = ['credential-changed', 'credential-refused', 'new', 'adopted'] as const;

export interface CredentialReportInput {
  readonly config: Config;
  readonly records: readonly DeviceRecord[];
  readonly events: readonly KeptEvent[];
  readonly period: Span;
}

export function credentialReport({ config, records, events, period }: CredentialReportInput): ReportDocument {
  const { timezone, client, id } = config.site;
  const rows = records
    .filter(({ state, credential }) => state !== 'joined' && credential)
    .flatMap((record) => rowOf(record, config) ?? [])
    .toSorted((a, b) => b.weaknesses.length - a.weaknesses.length || a.device.localeCompare(b.device));
  const names = new Map(records.map((record) => [record.id, record.name ?? record.addresses[0] ?? record.id]));
  const changes = events
    .filter(({ at, kind }) => at >= period.from && at < period.to && CHANGES.some((each) => each === kind))
    .filter(
      ({ kind, detail }) => kind.startsWith('credential') || (kind === 'new' && detail['credential'] !== undefined),
    )
    .map(({ at, device, kind, detail }) => ({
      at: isoInstant(at, timezone),
      device: names.get(device) ?? device,
      change: changeText(kind, detail),
    }));
  const open = rows.filter((row) => row.weaknesses.some((text) => text.includes('everybody tries')));
  const clear = rows.filter(({ version }) => version !== '3');
  const weak = rows.filter(({ version, weaknesses: list }) => version === '3' && list.length > 0);
  return {
    title: 'SNMP credentials',
    subtitle: `${client} · ${id} · ${isoInstant(period.from, timezone).slice(0, 10)} to ${isoInstant(period.to, timezone).slice(0, 10)}`,
    facts: [
      { name: 'Devices that answer SNMP', value: String(rows.length) },
      { name: 'to a community that everybody tries', value: String(open.length) },
      { name: 'to SNMPv1 or v2c', value: String(clear.length) },
      { name: 'to a weak SNMPv3', value: String(weak.length) },
    ],
    sections: [
      { heading: 'Who answers to what', tables: [devicesTable(rows)] },
      { heading: 'What changed in this period', tables: [changesTable(changes)] },
    ],
    notes: [
      'A device is listed with the credential that worked for it last. That it would answer to others too is not tried.',
    ],
    json: {
      period: { from: isoInstant(period.from, timezone), to: isoInstant(period.to, timezone) },
      devices: rows,
      changes,
    },
  };
}

function rowOf(record: DeviceRecord, config: Config): CredentialRow | undefined {
  const { credential, identity, addresses } = record;
  if (!credential) return undefined;
  const settings = credentialNamed(config, credential.name);
  return {
    device: record.name ?? addresses[0] ?? record.id,
    address: addresses[0] ?? '',
    class: identity?.class ?? null,
    credential: credential.name,
    version: credential.version,
    level: settings?.version === '3' ? settings.level : null,
    weaknesses: settings
      ? weaknesses(settings)
      : credential.version === '3'
        ? []
        : [`SNMPv${credential.version} sends the community in clear text`],
  };
}

function changeText(kind: KeptEvent['kind'], detail: KeptEvent['detail']): string {
  if (kind === 'credential-changed') return `answers to ${detail['to']}, before to ${detail['from']}`;
  if (kind === 'credential-refused') return `does not take ${detail['credential']} any more`;
  return `is new, and answers to ${detail['credential']}`;
}

function devicesTable(rows: readonly CredentialRow[]): Table {
  return {
    name: 'devices',
    columns: [
      { key: 'device', title: 'Device' },
      { key: 'address', title: 'Address', wrap: false },
      { key: 'class', title: 'Class' },
      { key: 'credential', title: 'Credential' },
      { key: 'version', title: 'SNMP' },
      { key: 'weaknesses', title: 'What is weak' },
    ],
    rows: rows.map((row) => [
      row.device,
      row.address,
      row.class ?? '',
      row.credential,
      `v${row.version}`,
      row.weaknesses.length === 0
        ? ''
        : { text: row.weaknesses.join('; '), data: row.weaknesses.join('; '), tone: 'bad' },
    ]),
    empty: 'No device has answered SNMP yet.',
  };
}

function changesTable(
  changes: readonly { readonly at: string; readonly device: string; readonly change: string }[],
): Table {
  return {
    name: 'changes',
    columns: [
      { key: 'at', title: 'When', wrap: false },
      { key: 'device', title: 'Device' },
      { key: 'change', title: 'What' },
    ],
    rows: changes.map(({ at, device, change }) => [at, device, change]),
    empty: 'Nothing changed.',
  };
}
