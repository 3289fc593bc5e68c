/** What the inventory keeps of a device. Plain data, as it lies in the ledger. */
import type { DeviceClass, Identity, WallTime } from '#collectors/contract.ts';
import type { OpenPort } from '#collectors/discovery/nmap.ts';
import type { Sighting } from '#collectors/discovery/scan.ts';
import type { Config } from '#config/schema.ts';
import type { Evidence, Fact } from './identity.ts';

/**
 * `configured`: the config has it. `adopted`: watched because it was found. `candidate`: found, and nobody has decided.
 * `ignored`: found, and somebody has decided. `joined`: turned out to be another one, which goes on for it.
 */
export type RecordState = 'configured' | 'adopted' | 'candidate' | 'ignored' | 'joined';

/** What a person or a rule settled when the device was adopted. */
export interface AdoptedSettings {
  readonly class?: DeviceClass;
  readonly sla?: string;
  readonly contract?: string;
  readonly parent?: string;
  readonly polling?: Config['devices'][number]['polling'];
}

/** That it might be the same as another one; what agrees and what does not. */
export interface Doubt {
  readonly device: string;
  readonly agree: readonly Fact[];
  readonly against: readonly Fact[];
}

/** Behind which device and port it seems to be. A guess until a person confirms it. */
export interface ParentGuess {
  readonly device: string;
  readonly by: 'lldp' | 'bridge' | 'gateway';
  readonly port?: string;
}

export interface DeviceRecord {
  /** Stays, whatever changes: address, name, NIC. */
  readonly id: string;
  readonly state: RecordState;
  /** Of `configured` and `adopted`: history, SLA and meters are kept under it. */
  readonly name?: string;
  /** The one that it is asked at first; empty when another device has taken its place. */
  readonly addresses: readonly string[];
  /** Of `addresses`: where nothing answered when they were scanned last. */
  readonly silent: readonly string[];
  /** A person said that what is at this address is this device and no other, whatever it tells. */
  readonly pinned?: string;
  readonly snmpPort: number;
  /** The configured range that it was found in. */
  readonly range?: string;
  readonly evidence: Evidence;
  readonly identity?: Pick<Identity, 'class' | 'profile' | 'version'>;
  /** Names that others have for it: reverse DNS, mDNS. */
  readonly hints: readonly string[];
  readonly ports: readonly OpenPort[];
  readonly credential?: NonNullable<Sighting['credential']>;
  readonly agent: Sighting['agent'];
  readonly settings: AdoptedSettings;
  readonly doubts: readonly Doubt[];
  readonly parent?: ParentGuess;
  readonly firstSeen: WallTime;
  readonly lastSeen: WallTime;
  /** Since when it is missed. */
  readonly gone?: WallTime;
  /** Of `joined`: the device that goes on for it. */
  readonly into?: string;
}

export const EVENT_KINDS = [
  'new',
  'gone',
  'returned',
  'moved',
  're-addressed',
  'replaced',
  'firmware-changed',
  'ports-changed',
  'identity-changed',
  'credential-changed',
  'credential-refused',
  'adopted',
  'ignored',
  'joined',
  'split',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** Something that happened to a device. Kept for ever. */
export interface InventoryEvent {
  readonly at: WallTime;
  /** Id of the record. */
  readonly device: string;
  readonly kind: EventKind;
  /** What it was and what it is, as texts. */
  readonly detail: Readonly<Record<string, string>>;
}

/** Vendor and model as people say them: many a model begins with its vendor. */
export function makeAndModel({ vendor, model }: Pick<Evidence, 'vendor' | 'model'>): string {
  if (vendor !== undefined && model?.toLowerCase().startsWith(vendor.toLowerCase())) return model;
  return [vendor, model].filter(Boolean).join(' ');
}

/** The evidence of what was seen at an address. The MAC of an ARP cache counts where the device told none. */
export function evidenceOf({ identity, mac }: Pick<Sighting, 'identity' | 'mac'>): Evidence {
  const { serial, vendor, engineId, sysName, model } = identity ?? {};
  const macs = [...new Set([...(identity?.macs ?? []), ...(mac === undefined ? [] : [mac])])].toSorted();
  return {
    ...(serial !== undefined && { serial }),
    ...(vendor !== undefined && { vendor }),
    ...(engineId !== undefined && { engineId }),
    ...(sysName !== undefined && { sysName }),
    ...(model !== undefined && { model }),
    ...(macs.length > 0 && { macs }),
  };
}
