/**
 * Writes `docs/profile-coverage.md` from the profiles: which families are read, how they are recognised, from which OIDs,
 * and how sure that is. `npx node scripts/profile-coverage.ts`; a test keeps the page current.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CATALOGUE } from '#collectors/catalogue.ts';
import { type CompiledSource, compileProfile } from '#collectors/snmp/profile/compile.ts';
import type { MatchSettings } from '#config/profile.ts';
import { type FlatSource, loadProfiles, type Profile } from '#config/profiles.ts';
import { AREAS, type AreaName, DEVICE_CLASSES } from '#config/words.ts';

export const COVERAGE_FILE = fileURLToPath(new URL('../docs/profile-coverage.md', import.meta.url));

const CLASS_TITLES: Readonly<Record<(typeof DEVICE_CLASSES)[number], string>> = {
  firewall: 'Firewalls and gateways',
  printer: 'Printers',
  server: 'Servers, hypervisors, management controllers',
  switch: 'Switches and wireless controllers',
  ap: 'Access points',
  ups: 'UPS and PDUs',
  nas: 'NAS',
  other: 'Others',
};

/** The page as Markdown. */
export function coveragePage(): string {
  const profiles = loadProfiles({ metrics: CATALOGUE });
  const families = [...profiles.values()].filter(({ settings }) => !settings.abstract);
  const parts = [...profiles.values()].filter(({ settings }) => settings.abstract);
  const sections = DEVICE_CLASSES.flatMap((each) => {
    const own = families.filter((profile) => (profile.class ?? 'other') === each).toSorted(byTitle);
    return own.length === 0 ? [] : [`## ${CLASS_TITLES[each]}`, ...own.map(familySection)];
  });
  return `${[
    '# What siteward reads',
    `<!-- Made by scripts/profile-coverage.ts from config/profiles/; do not edit. -->`,
    `${families.length} device families. How sure a mapping is: **A** proved on devices, **B** by MIB and recording, **C** by the MIB,`,
    '**D** one source only. How to add a family: [profiles.md](profiles.md).',
    summaryTable(families),
    ...sections,
    '## Shared parts',
    'What several families build on.',
    ...parts.toSorted(byTitle).map(partSection),
  ].join('\n\n')}\n`.replace('**C** by the MIB,\n\n**D**', '**C** by the MIB,\n**D**');
}

function byTitle(a: Profile, b: Profile): number {
  return a.settings.title.localeCompare(b.settings.title, 'en') || a.name.localeCompare(b.name, 'en');
}

function summaryTable(families: readonly Profile[]): string {
  const rows = DEVICE_CLASSES.flatMap((each) => {
    const own = families.filter((profile) => (profile.class ?? 'other') === each).toSorted(byTitle);
    return own.length === 0
      ? []
      : [`| ${CLASS_TITLES[each]} | ${own.map((profile) => profile.settings.title).join(', ')} |`];
  });
  return ['| class | families |', '| --- | --- |', ...rows].join('\n');
}

function familySection(profile: Profile): string {
  const compiled = compileProfile(profile);
  const rows = (Object.keys(AREAS) as AreaName[]).flatMap((name) => {
    const area = profile.areas[name];
    const sources = compiled.areas.find((each) => each.name === name)?.sources ?? [];
    if (!area || area.sources.length === 0) return [];
    const items = area.sources.map((source, position) => sourceText(source, sources[position], profile));
    return [`| ${name.replaceAll('_', ' ')} | ${[...new Set(items)].join('; ')} |`];
  });
  return [
    `### ${profile.settings.title}`,
    `\`${profile.name}\`, ${profile.settings.sure}. Recognised by ${profile.settings.match.map(matchText).join(', or ')}.`,
    ...(rows.length > 0 ? [['| area | from |', '| --- | --- |', ...rows].join('\n')] : []),
  ].join('\n\n');
}

function partSection(profile: Profile): string {
  return `- \`${profile.name}\`: ${profile.settings.title}`;
}

/** What is written in another profile is named, what is its own is listed. */
function sourceText(source: FlatSource, compiled: CompiledSource | undefined, profile: Profile): string {
  const sure = source.sure !== undefined && source.sure !== profile.settings.sure ? ` (${source.sure})` : '';
  if (source.from !== profile.name) return `\`${source.from}\`${sure}`;
  const { scalars = new Set(), columns = new Map() } = compiled?.needs ?? {};
  const tables = [...columns.keys()].map(({ name }) => `${profile.tables[name]?.entry ?? name}.*`);
  const oids = [...new Set([...tables, ...scalars])].toSorted();
  return oids.length === 0 ? `what the system group tells${sure}` : `${oids.join(', ')}${sure}`;
}

function matchText(match: MatchSettings): string {
  const list = (value: string | readonly string[]) => [value].flat().join(' or ');
  const code = (pattern: string) => `\`${pattern.replaceAll('|', '\\|')}\``;
  const texts = [
    match.sys_object_id !== undefined && `sysObjectID ${list(match.sys_object_id)}`,
    match.not_sys_object_id !== undefined && `not sysObjectID ${list(match.not_sys_object_id)}`,
    match.sys_descr !== undefined && `sysDescr ${code(match.sys_descr)}`,
    match.not_sys_descr !== undefined && `not sysDescr ${code(match.not_sys_descr)}`,
    match.sys_name !== undefined && `sysName ${code(match.sys_name)}`,
    ...(match.probe ?? []).map(
      ({ oid, matches }) => `an answer at ${oid}${matches === undefined ? '' : ` that matches ${code(matches)}`}`,
    ),
  ].filter((text) => text !== false);
  return texts.length === 0 ? 'having an SNMP agent' : texts.join(' and ');
}

if (import.meta.main) writeFileSync(COVERAGE_FILE, coveragePage());
