/** Whether a device that was found is watched from now on, under which name and with which settings. Pure. */
import type { DeviceClass } from '#collectors/contract.ts';
import type { Config } from '#config/schema.ts';
import { type Evidence, nameVotes, serialVotes } from './identity.ts';
import type { AdoptedSettings } from './record.ts';

type Rule = Config['discovery']['rules'][number];

/** What a decision is made from. */
export interface Adoptable {
  readonly class: DeviceClass | undefined;
  readonly evidence: Evidence;
  readonly address: string;
}

export type Decision =
  | { readonly adopt: true; readonly name: string; readonly settings: AdoptedSettings; readonly reason: string }
  | { readonly adopt: false; readonly reason: string };

export interface AdoptionContext {
  readonly mode: 'ask' | 'yes' | 'rules';
  readonly rules: readonly Rule[];
  /** Names that devices have already. */
  readonly taken: ReadonlySet<string>;
}

export function decide(device: Adoptable, { mode, rules, taken }: AdoptionContext): Decision {
  const lacking = evidenceLacking(device.evidence);
  if (lacking !== undefined) return { adopt: false, reason: lacking };
  if (mode === 'ask') return { adopt: false, reason: 'a person decides (adopt: ask)' };
  const rule = ruleFor(device, rules);
  if (mode === 'rules' && !rule) return { adopt: false, reason: 'no rule fits' };
  if (rule && !rule.adopt) return { adopt: false, reason: `a rule says no (${ruleText(rule)})` };
  const name = deviceName(device, taken, rule?.as);
  const { sla, contract, parent, polling } = rule ?? {};
  const settings: AdoptedSettings = {
    ...(sla !== undefined && { sla }),
    ...(contract !== undefined && { contract }),
    ...(parent !== undefined && { parent }),
    ...(polling !== undefined && { polling }),
  };
  return { adopt: true, name, settings, reason: rule ? `a rule fits (${ruleText(rule)})` : 'adopt: yes' };
}

/** Why this is an address and not yet a device; undefined when it is one. */
export function evidenceLacking(evidence: Evidence): string | undefined {
  if (serialVotes(evidence) && evidence.vendor !== undefined) return undefined;
  const facts = [evidence.engineId, evidence.macs?.[0], evidence.sysName, evidence.model].filter(Boolean);
  if (facts.length >= 2 && (evidence.sysName !== undefined || evidence.model !== undefined)) return undefined;
  return 'not enough is known of it: no serial, and less than two of engine ID, MAC, sysName and model';
}

/** The first rule that fits. */
export function ruleFor(device: Adoptable, rules: readonly Rule[]): Rule | undefined {
  return rules.find((each) => fits(each, device));
}

function fits(rule: Rule, { class: deviceClass, evidence }: Adoptable): boolean {
  if (rule.class !== undefined && rule.class !== deviceClass) return false;
  if (rule.vendor !== undefined && rule.vendor.toLowerCase() !== evidence.vendor?.toLowerCase()) return false;
  return rule.name === undefined || matchesPattern(rule.name, evidence.sysName ?? '');
}

/** `srv-*` as device patterns are written in the config, without regard to case, for names come from devices. */
export function matchesPattern(pattern: string, text: string): boolean {
  const source = pattern.replace(/[.*+?^${}()|[\]\\]/g, (sign) => (sign === '*' ? '.*' : `\\${sign}`));
  return new RegExp(`^${source}$`, 'i').test(text);
}

function ruleText({ class: deviceClass, vendor, name }: Rule): string {
  const parts = [deviceClass && `class ${deviceClass}`, vendor && `vendor ${vendor}`, name && `name ${name}`];
  return parts.filter(Boolean).join(', ') || 'any device';
}

const LONGEST_NAME = 63;

/** The name that the template gives, or its sysName, or its class and address; made unique among those taken. */
export function deviceName(device: Adoptable, taken: ReadonlySet<string>, template?: string): string {
  const { evidence, address } = device;
  const deviceClass = device.class ?? 'other';
  const { sysName } = evidence;
  const short = sysName !== undefined && nameVotes(sysName, evidence) ? sysName.split('.')[0] : undefined;
  const written = template?.replace(/\{(sys_name|class|serial|address)\}/g, (_, key: string) => {
    const values: Record<string, string | undefined> = {
      sys_name: short,
      class: deviceClass,
      serial: evidence.serial,
      address,
    };
    return values[key] ?? '';
  });
  const candidates = [written, short, `${deviceClass}-${address}`];
  const base = candidates.map((text) => asName(text ?? '')).find((name) => name !== '') ?? 'device';
  if (!taken.has(base)) return base;
  for (let number = 2; ; number++) {
    const name = `${base.slice(0, LONGEST_NAME - 6)}-${number}`;
    if (!taken.has(name)) return name;
  }
}

/** The text as a device name may be written: what a device says of itself is hostile until it is one. */
function asName(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
    .slice(0, LONGEST_NAME);
}
