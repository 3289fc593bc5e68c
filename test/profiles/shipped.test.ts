/** What must hold for every profile that comes with siteward. */
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CATALOGUE } from '#collectors/catalogue.ts';
import { compileProfile } from '#collectors/snmp/profile/compile.ts';
import { ProfileLibrary } from '#collectors/snmp/profile/library.ts';
import { RECORDED_SUBTREES } from '#collectors/snmp/recorder.ts';
import { parseRecording } from '#collectors/snmp/recording.ts';
import { describeFault } from '#config/faults.ts';
import { DECODERS } from '#config/profile.ts';
import { profileJsonSchema } from '#config/profile-files.ts';
import { PROFILE_FOLDER, readProfiles } from '#config/profiles.ts';
import { AREAS } from '#config/words.ts';
import { COVERAGE_FILE, coveragePage } from '../../scripts/profile-coverage.ts';
import { readRecording, SHARED_DEVICES } from './recordings.ts';

const DOCS = join(import.meta.dirname, '../../docs/profiles.md');
const { profiles, faults } = readProfiles({ metrics: CATALOGUE });
const families = [...profiles.values()].filter(({ settings }) => !settings.abstract);

describe('shipped profiles', () => {
  test('all are good', () => {
    expect(faults.map(describeFault)).toEqual([]);
  });

  test('each has a synthetic recording that is read by it', () => {
    const folder = join(import.meta.dirname, 'recordings');
    const read = new Set(
      readdirSync(folder)
        .filter((file) => file.endsWith('.json'))
        .map(
          (file) =>
            (JSON.parse(readFileSync(join(folder, file), 'utf8')) as { device: { profile?: string } }).device.profile,
        ),
    );

    expect(families.map(({ name }) => name).filter((name) => !read.has(name))).toEqual([]);
  });

  test('every object that one asks for is in the recordings that siteward makes', () => {
    // The arguments of processes may hold passwords: a recording goes without them.
    const kept = ['1.3.6.1.2.1.25.4.2.1.5'];
    const recorded = (oid: string) =>
      kept.includes(oid) || RECORDED_SUBTREES.some(({ root }) => oid.startsWith(`${root}.`));
    const asked = families.flatMap((profile) => {
      const { areas, identityNeeds } = compileProfile(profile);
      const needs = [
        identityNeeds,
        ...areas.flatMap(({ sources }) => sources.flatMap((each) => [each.needs, each.whenNeeds])),
      ];
      return needs.flatMap(({ scalars, columns }) => [
        ...scalars,
        ...[...columns.values()].flatMap((oids) => [...oids]),
      ]);
    });
    const probed = families.flatMap(({ settings }) =>
      settings.match.flatMap(({ probe }) => probe?.map(({ oid }) => oid) ?? []),
    );

    expect([...new Set([...asked, ...probed])].filter((oid) => !recorded(oid))).toEqual([]);
  });

  const truths = join(SHARED_DEVICES, 'truth');
  if (!existsSync(truths)) console.warn(`rules are not compared with recorded devices: there are none at ${truths}`);
  test.skipIf(!existsSync(truths))('no rule names a single recorded device', () => {
    const names = readdirSync(truths).flatMap((file) => {
      const truth = JSON.parse(readFileSync(join(truths, file), 'utf8')) as Record<string, unknown>;
      return [truth['serial'], truth['sysName']].filter((text) => typeof text === 'string' && text.length >= 6);
    });
    const texts = globSync(join(PROFILE_FOLDER, '**/*.yaml')).map((file) => readFileSync(file, 'utf8'));

    expect(names.filter((name) => texts.some((text) => text.includes(String(name))))).toEqual([]);
  });
});

describe('what is written about profiles', () => {
  const page = readFileSync(DOCS, 'utf8');

  test('the coverage reference is what the profiles say (npx node scripts/profile-coverage.ts)', () => {
    expect(readFileSync(COVERAGE_FILE, 'utf8')).toBe(coveragePage());
  });

  test('the example in the guide reads the device that it is about', async () => {
    const example = /```yaml\n(title:[\s\S]*?)```/.exec(page)?.[1] ?? '';
    const folder = mkdtempSync(join(tmpdir(), 'siteward-guide-'));
    writeFileSync(join(folder, 'acme-thermo.yaml'), example);
    const own = readProfiles({ folders: [PROFILE_FOLDER, folder], metrics: CATALOGUE });
    rmSync(folder, { recursive: true });
    const recording = parseRecording(`
1.3.6.1.2.1.1.1.0|4|Thermo, firmware 2.4
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999.7
1.3.6.1.4.1.99999.7.1.1.0|4|T-100
1.3.6.1.4.1.99999.7.1.2.0|4|77-1
1.3.6.1.4.1.99999.7.2.1.2.1|4|Rack
1.3.6.1.4.1.99999.7.2.1.3.1|2|-25
1.3.6.1.4.1.99999.7.2.1.4.1|2|1
1.3.6.1.4.1.99999.7.2.1.3.2|2|215
1.3.6.1.4.1.99999.7.2.1.4.2|2|2`);

    const { reading } = await readRecording(new ProfileLibrary(own.profiles), recording);

    expect(own.faults).toEqual([]);
    expect(reading.identity).toMatchObject({ vendor: 'Acme', model: 'T-100', serial: '77-1', version: '2.4' });
    expect(reading.groups).toEqual([
      {
        name: 'sensors',
        readings: [{ metric: 'siteward_sensor_temperature_celsius', labels: { sensor: 'Rack' }, value: -2.5 }],
      },
    ]);
  });

  test('the guide names every decoder, area, key and part', () => {
    const words = new Set(page.match(/[a-z][a-z0-9_-]*/g));
    const schema = JSON.stringify(profileJsonSchema());
    const keys = [...schema.matchAll(/"([a-z_]+)":\{"(?:type|anyOf|description|\$ref|default)"/g)].map(
      ([, key]) => key ?? '',
    );
    const ours = new Set([
      'title',
      'abstract',
      'extends',
      'entry',
      'columns',
      'readings',
      'items',
      'id',
      'as',
      'by',
      'metric',
      ...keys,
    ]);
    for (const word of ['properties', 'items', 'additional', 'any', 'not', 'default', 'description', 'type'])
      ours.delete(word);
    const parts = [...profiles.values()].filter(({ file }) => file.includes('/parts/')).map(({ name }) => name);
    const shared = parts.filter((name) => families.filter(({ lineage }) => lineage.includes(name)).length >= 8);

    expect([...DECODERS, ...Object.keys(AREAS), ...ours, ...shared].filter((word) => !words.has(word))).toEqual([]);
  });
});
