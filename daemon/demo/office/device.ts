import type { DeviceClass } from '#collectors/contract.ts';
import type { ObjectEntry } from '../object-tree.ts';
import type { DeviceLife } from './time.ts';

/** A device of the office: what the config says of it, and what its agent says. */
export interface OfficeDevice {
  readonly name: string;
  /** As its profile should recognise it. */
  readonly class: DeviceClass;
  readonly parent?: string;
  readonly sla?: string;
  /** Its agent answers SNMPv3 only; left out: SNMPv1 and SNMPv2c. */
  readonly secure?: true;
  readonly life: DeviceLife;
  readonly objects: readonly ObjectEntry[];
}
