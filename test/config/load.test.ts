import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ConfigError } from '#config/errors.ts';
import { describeFault } from '#config/faults.ts';
import { configJsonSchema, type LoadedConfig, parseConfig } from '#config/load.ts';

const MINIMAL = 'site: {id: hq, client: ACME}\n';

function faultsOf(text: string, env: NodeJS.ProcessEnv = {}): string[] {
  try {
    parseConfig(text, 'siteward.yaml', env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(describeFault);
    throw error;
  }
  return [];
}

function load(text: string, env: NodeJS.ProcessEnv = {}, file = 'siteward.yaml'): LoadedConfig {
  return parseConfig(text, file, env);
}

test('every fault of a file is told at once, each with its place and what to write instead', () => {
  const text = `site: {id: acme-hq, client: ACME Ltd, timezone: Europe/Berln}
devices:
  - {name: fw-1, address: 192.0.2.1, credentails: [office]}
  - {name: fw-2, address: 192.0.2.300, port: 70000}
polling: {metrics: 1s}
`;

  expect(faultsOf(text)).toEqual([
    'siteward.yaml:1:49: site.timezone: "Europe/Berln" is not a time zone (write an IANA name such as Europe/Berlin or UTC)',
    'siteward.yaml:3:38: devices[0].credentails: is not a key here (did you mean credentials?)',
    'siteward.yaml:4:27: devices[1].address: "192.0.2.300" is not an address (write an IPv4 or IPv6 address or a host name)',
    'siteward.yaml:4:46: devices[1].port: 70000 is not a port (write 1 to 65535)',
    'siteward.yaml:5:20: polling.metrics: 1s is too short (write 15s or more)',
  ]);
});

test('what is wrong between settings is told beside what is wrong in one of them', () => {
  const text = `site: {id: acme-hq, client: ACME Ltd}
poling: {metrics: 60s}
credentials: {office: {version: 2c, community: {env: NOT_SET}}}
devices:
  - {name: fw-1, address: 192.0.2.1, port: 70000, credentials: [ofice]}
  - {name: fw-1, address: 192.0.2.300}
  - {name: sw-1, address: 192.0.2.4, parent: core}
`;

  expect(faultsOf(text)).toEqual([
    'siteward.yaml:2:1: poling: is not a key here (did you mean polling?)',
    expect.stringMatching(/^siteward\.yaml:3:\d+: credentials\.office\.community: .*NOT_SET is not set/),
    'siteward.yaml:5:44: devices[0].port: 70000 is not a port (write 1 to 65535)',
    expect.stringMatching(
      /^siteward\.yaml:5:65: devices\[0\]\.credentials\[0\]: there is no "ofice" under credentials/,
    ),
    expect.stringMatching(/^siteward\.yaml:6:12: devices\[1\]\.name: "fw-1" is already the name of devices\[0\]/),
    expect.stringMatching(/^siteward\.yaml:6:27: devices\[1\]\.address: "192\.0\.2\.300" is not an address/),
    expect.stringMatching(/^siteward\.yaml:7:46: devices\[2\]\.parent: there is no device "core"/),
  ]);
});

test.each([
  ['a device', 'devices: [{nmae: core, address: 192.0.2.1}, {name: a, address: 192.0.2.2, parent: core}]'],
  ['a name', 'devices: [{name: [core], address: 192.0.2.1}, {name: a, address: 192.0.2.2, parent: core}]'],
  [
    'a section',
    'credentialss: {office: {version: 2c, community: x}}\ndevices: [{address: 192.0.2.1, credentials: [office]}]',
  ],
  ['a credential', 'credentials: {office: {version: 9}}\ndevices: [{address: 192.0.2.1, credentials: [office]}]'],
])('what names %s that is itself wrong is not called wrong', (_, text) => {
  expect(faultsOf(MINIMAL + text)).toHaveLength(1);
});

test.each([
  [
    'a key that stands twice',
    'site: {id: a, client: b}\nsite: {id: c, client: d}\n',
    /^siteward\.yaml:2:1: this key stands here twice/,
  ],
  ['a tab as indentation', 'site:\n\tid: a\n', /^siteward\.yaml:2:1: .*tab/],
  ['an alias bomb', `a: &a [x,x]\nb: &b [${'*a,'.repeat(90)}*a]\nc: [${'*b,'.repeat(90)}*b]\n`, /aliases/],
  [
    'a device that is its own parent',
    `${MINIMAL}devices:\n  - {name: a, address: 192.0.2.1, parent: b}\n  - {name: b, address: 192.0.2.2, parent: a}\n`,
    /own parent/,
  ],
  [
    'a parent that is not there',
    `${MINIMAL}devices:\n  - {name: a, address: 192.0.2.1, parent: core}\n`,
    /there is no device "core"/,
  ],
  [
    'a credential that is not there',
    `${MINIMAL}devices: [{name: a, address: 192.0.2.1, credentials: [offcie]}]\n`,
    /there is no "offcie" under credentials/,
  ],
  [
    'two devices of one name',
    `${MINIMAL}devices:\n  - {name: a, address: 192.0.2.1}\n  - {name: a, address: 192.0.2.2}\n`,
    /already the name of devices\[0\]/,
  ],
  ['an open page without a login', `${MINIMAL}http: {listen: 0.0.0.0:9720}\n`, /allow_anonymous: true/],
  ['a number where a text belongs', 'site: {id: hq, client: 7}\n', /site\.client: expected a text, got 7/],
  ['an empty file', '', /site: is missing/],
])('%s is refused with its place', (_name, text, expected) => {
  expect(faultsOf(text).join('\n')).toMatch(expected);
});

test('an SNMPv3 credential says which key its level needs', () => {
  const faults = faultsOf(`${MINIMAL}credentials: {v3: {version: 3, user: monitor, level: auth_priv}}\n`);

  expect(faults).toHaveLength(2);
  expect(faults[0]).toContain('credentials.v3.auth: is missing (level auth_priv needs auth');
});

test('a secret comes from the text, the environment or a file, and is never printed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'siteward-config-'));
  writeFileSync(join(folder, 'community.txt'), 'from-file\n');
  chmodSync(join(folder, 'community.txt'), 0o600);
  const text = `${MINIMAL}credentials:
  a: {version: 2c, community: from-text}
  b: {version: 2c, community: {env: COMMUNITY}}
  c: {version: 2c, community: {file: community.txt}}
`;

  const { config, warnings } = load(text, { COMMUNITY: 'from-env' }, join(folder, 'siteward.yaml'));

  const communities = Object.values(config.credentials).map((credential) =>
    credential.version === '3' ? '' : credential.community.reveal(),
  );
  expect(communities).toEqual(['from-text', 'from-env', 'from-file']);
  expect(warnings).toEqual([]);
  for (const printed of [
    JSON.stringify(config),
    inspect(config, { depth: 9 }),
    String(Object.values(config.credentials)[0]),
  ]) {
    for (const community of communities) expect(printed).not.toContain(community);
  }
});

test('a secret file that others can read works and is warned about', () => {
  const folder = mkdtempSync(join(tmpdir(), 'siteward-config-'));
  writeFileSync(join(folder, 'community.txt'), 'open');
  chmodSync(join(folder, 'community.txt'), 0o644);

  const { warnings } = load(
    `${MINIMAL}credentials: {a: {version: 2c, community: {file: community.txt}}}\n`,
    {},
    join(folder, 'siteward.yaml'),
  );

  expect(warnings.map(({ message }) => message)).toEqual([
    'the file community.txt can be read by others (chmod 600 it)',
  ]);
});

test('a missing variable or file is told at the place that names it, without the secret of its neighbour', () => {
  const faults = faultsOf(`${MINIMAL}credentials:
  a: {version: 2c, community: {env: NOT_SET}}
  b: {version: 2c, community: {file: nowhere.txt}}
  c: {version: 2c, community: canary-7319}
`);

  expect(faults).toHaveLength(2);
  expect(faults[0]).toMatch(
    /^siteward\.yaml:3:31: credentials\.a\.community: the environment variable NOT_SET is not set/,
  );
  expect(faults[1]).toMatch(/there is no file nowhere\.txt/);
  expect(faults.join()).not.toContain('canary-7319');
});

test('a config that was loaded cannot be changed', () => {
  const { config } = load(MINIMAL);

  expect(() => Object.assign(config.site, { id: 'other' })).toThrow(TypeError);
});

test('the JSON Schema takes the example config and refuses a misspelt key', () => {
  const validate = new Ajv2020({ strict: false }).compile(configJsonSchema());
  const example = parse(readFileSync('config/siteward.example.yaml', 'utf8'));

  expect(validate(example)).toBe(true);
  expect(validate({ ...example, devcies: [] })).toBe(false);
});
