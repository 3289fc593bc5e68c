/** Who a device is, from the facts that its profile names. */
import type { DeviceClass, Identity } from '#collectors/contract.ts';
import { DEVICE_CLASSES, type IdentityField } from '#config/words.ts';
import { textOf } from './cell.ts';
import { type CompiledProfile, IF_PHYS_ADDRESS } from './compile.ts';
import { decode, macAddress } from './decode.ts';
import { ENGINE_ID, SYS_DESCR, SYS_NAME, SYS_OBJECT_ID } from './recognise.ts';
import type { Scope } from './scope.ts';
import { labelText, saysNoSerial, saysNothing } from './text.ts';

/** A device with more addresses has virtual ones, which say nothing about who it is. */
const MOST_MACS = 64;

export function identityOf(profile: CompiledProfile, scope: Scope): Identity {
  const stated = fact(profile, 'class', scope);
  const vendor = fact(profile, 'vendor', scope) ?? profile.vendor;
  const model = fact(profile, 'model', scope);
  const serial = fact(profile, 'serial', scope);
  const version = fact(profile, 'version', scope);
  const sysName = fact(profile, 'sys_name', scope) ?? scalarText(scope, SYS_NAME);
  const sysObjectId = scalarText(scope, SYS_OBJECT_ID);
  const sysDescr = scalarText(scope, SYS_DESCR);
  const engine = scope.scalar(ENGINE_ID);
  const engineId = engine === undefined ? undefined : decode(engine, 'hex');
  const macs = physicalAddresses(scope);
  return {
    class: deviceClass(stated) ?? profile.class ?? 'other',
    profile: profile.name,
    ...(vendor !== undefined && { vendor }),
    ...(model !== undefined && { model }),
    ...(serial !== undefined && { serial }),
    ...(version !== undefined && { version }),
    ...(sysName !== undefined && { sysName }),
    ...(sysObjectId !== undefined && { sysObjectId }),
    ...(sysDescr !== undefined && { sysDescr }),
    ...(typeof engineId === 'string' && engineId.length >= 10 && { engineId }),
    ...(macs.length > 0 && { macs }),
  };
}

/** The first choice that says something. Where one before it got no answer, the fact is not known this time. */
function fact(profile: CompiledProfile, field: IdentityField, scope: Scope): string | undefined {
  scope.uncertain = false;
  for (const choice of profile.identity[field]) {
    const text = textOf(choice(scope));
    if (scope.uncertain) return undefined;
    if (text === undefined || saysNothing(text)) continue;
    if (field === 'serial' && saysNoSerial(text)) continue;
    return labelText(text);
  }
  return undefined;
}

function scalarText(scope: Scope, oid: string): string | undefined {
  const text = textOf(scope.scalar(oid));
  return text === undefined || text === '' ? undefined : labelText(text);
}

function deviceClass(text: string | undefined): DeviceClass | undefined {
  return DEVICE_CLASSES.find((each) => each === text);
}

function physicalAddresses(scope: Scope): readonly string[] {
  const found = new Set<string>();
  for (const index of scope.columns.get(IF_PHYS_ADDRESS)?.keys() ?? []) {
    const cell = scope.cell(IF_PHYS_ADDRESS, index);
    const mac = cell === undefined ? undefined : macAddress(cell);
    if (mac !== undefined && found.size < MOST_MACS) found.add(mac);
  }
  return [...found];
}
