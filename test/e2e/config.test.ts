import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError } from '#config/errors.ts';
import { describeFault } from '#config/faults.ts';
import { loadConfig } from '#config/load.ts';
import { temporaryFolder } from '../support/folder.ts';
import { seededRandom } from '../support/random.ts';
import { siteward } from '../support/siteward.ts';

test('a config with five faults is five located lines on stderr, nothing on stdout, and exit 2', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'siteward.yaml');
  await writeFile(
    file,
    `site: {id: acme-hq, client: ACME Ltd, timezone: Europe/Berln}
credentials:
  office: {version: 2c, community: {env: SITEWARD_TEST_COMMUNITY_THAT_IS_NOT_SET}}
devices:
  - {name: fw-1, address: 192.0.2.1, credentails: [office]}
  - {name: fw-2, address: 192.0.2.300}
  - {name: fw-3, address: 192.0.2.3, port: 70000}
polling: {metrics: 1s}
`,
  );

  const { code, stdout, stderr } = await siteward(['check', '--config', file]);

  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringMatching(/siteward\.yaml:1:\d+: site\.timezone: .*Europe\/Berln.*\(write .*\)/),
    expect.stringMatching(/siteward\.yaml:5:\d+: devices\[0\]\.credentails: .*\(did you mean credentials\?\)/),
    expect.stringMatching(/siteward\.yaml:6:\d+: devices\[1\]\.address: .*192\.0\.2\.300.*\(write .*\)/),
    expect.stringMatching(/siteward\.yaml:7:\d+: devices\[2\]\.port: 70000 .*\(write 1 to 65535\)/),
    expect.stringMatching(/siteward\.yaml:8:\d+: polling\.metrics: 1s .*\(write 15s or more\)/),
  ]);
  for (const line of stderr.trim().split('\n')) expect(line.startsWith(file)).toBe(true);
});

test('a secret that is not there, and one that is given by a missing file, are told with their places', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'siteward.yaml');
  await writeFile(
    file,
    `site: {id: a, client: b}
credentials:
  one: {version: 2c, community: {env: SITEWARD_TEST_COMMUNITY_THAT_IS_NOT_SET}}
  two: {version: 2c, community: {file: nowhere.key}}
`,
  );

  const { code, stderr } = await siteward(['check', '--config', file]);

  expect(code).toBe(2);
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringMatching(/:3:\d+: credentials\.one\.community: .*SITEWARD_TEST_COMMUNITY_THAT_IS_NOT_SET is not set/),
    expect.stringMatching(/:4:\d+: credentials\.two\.community: .*nowhere\.key/),
  ]);
});

test('run on a config with faults ends with exit 2 and the same lines, and touches nothing', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'siteward.yaml'), 'site: {id: a, client: b}\npoling: {}\n');

  const { code, stdout, stderr } = await siteward(['run', '--config', 'siteward.yaml'], { cwd: folder });

  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^siteward\.yaml:2:\d+: poling: is not a key here \(did you mean polling\?\)\n/);
  expect(stderr).not.toMatch(/^\s+at /m);
});

const SECRETS = ['zq-community-4711', 'zq-auth-key-4712', 'zq-privacy-key-4713', 'zq-token-4714', 'zq-password-4715'];

/** Files that are good, between them with every part that a config may have. */
const GOOD = [
  `site: {id: acme-hq, client: ACME Ltd, timezone: Europe/Berlin}
`,
  `site:
  id: acme-hq
  client: ACME Ltd
credentials:
  office:
    version: 2c
    community: ${SECRETS[0]}
  secure:
    version: 3
    user: monitor
    level: auth_priv
    auth: {protocol: sha256, key: ${SECRETS[1]}}
    privacy: {protocol: aes128, key: ${SECRETS[2]}}
devices:
  - name: fw-1
    address: 192.0.2.1
    credentials: [secure, office]
    class: firewall
  - name: sw-1
    address: 192.0.2.2
    port: 161
    parent: fw-1
    checks: [icmp, snmp]
`,
  `site: {id: plant, client: ACME Ltd}
storage: {directory: data, free_floor: 64MB, history_days: 30}
http: {listen: 127.0.0.1:9720}
log: {level: warn}
polling:
  availability: 15s
  metrics: 60s
  inventory: 1h
  classes: {printer: {metrics: 5m}}
  max_packets_per_second: 500
devices:
  - {name: web, address: www.example.com, checks: [icmp, tcp/443]}
`,
  `site: {id: plant, client: ACME Ltd}
outputs:
  influx:
    - name: central
      url: http://influx.example:8086
      database: siteward
      token: ${SECRETS[3]}
      max_age: 30d
      precision: ms
  remote_write:
    - {name: mimir, url: "https://mimir.example/api/v1/push", user: acme, password: ${SECRETS[4]}, timeout: 30s}
`,
  `site: {id: plant, client: ACME Ltd, timezone: Europe/Vienna}
devices:
  - {name: srv-1, address: 192.0.2.10, sla: gold}
  - {name: srv-2, address: 192.0.2.11, sla: gold}
slas:
  gold: {target: 99.9%, service_hours: "Mon-Fri 08:00-18:00", period: calendar_month, minimum_outage: 1m}
maintenance:
  - {name: patch-night, devices: [srv-*], starts: "2026-12-05T22:00", duration: 4h, repeats: monthly}
`,
  `site: {id: plant, client: ACME Ltd}
credentials: {office: {version: 2c, community: ${SECRETS[0]}}}
discovery:
  ranges:
    - {range: 192.0.2.0/24, every: 6h, credentials: [office], adopt: ask}
contracts:
  printing:
    devices: [mfp-*]
    cut: {day: 1, time: "00:00"}
    meters: {mono: {price: "0.012"}, color: {price: "0.065", included: 100}}
`,
] as const;

type Mutate = (text: string, random: () => number) => string | undefined;

const pick = <T>(list: readonly T[], random: () => number): T | undefined => list[Math.floor(random() * list.length)];

/** Replaces one of the places that match; undefined where none does. */
function replaceOne(pattern: RegExp, ...by: readonly string[]): Mutate {
  return (text, random) => {
    const match = pick([...text.matchAll(pattern)], random);
    if (!match) return undefined;
    const { index } = match;
    return (
      text.slice(0, index) + match[0].replace(pattern, pick(by, random) ?? '') + text.slice(index + match[0].length)
    );
  };
}

/** Each of these makes a good file a wrong one. */
const BREAK: Readonly<Record<string, Mutate>> = {
  'a key with a letter too few': replaceOne(/\b([a-z])[a-z](\w{3,}):(?= |\n)/g, '$1$2:'),
  'a key that stands twice': (text) => `${text}site: {id: other, client: Other}\n`,
  'an unknown key at the top': (text) => `${text}verbose: true\n`,
  'an address that is none': replaceOne(/address: [\d.]+/g, 'address: 192.0.2.300', 'address: 1.2.3', 'address: "a b"'),
  'a port that is none': replaceOne(/port: 161/g, 'port: 0', 'port: 70000', 'port: -1', 'port: snmp', 'port: 1.5'),
  'a duration that is none': replaceOne(
    /: \d+(s|m|h|d)\b/g,
    ': 15',
    ': fast',
    ': -5s',
    ': 15 parsecs',
    ': []',
    ': 0.1ms',
  ),
  'an id that is none': replaceOne(/\bid: [\w-]+/g, 'id: "a b"', 'id: [a]', 'id: ""', 'id: null', 'id: -x'),
  'a client that is no text': replaceOne(
    /client: ACME Ltd/g,
    'client: 7',
    'client: [ACME]',
    'client: {a: b}',
    'client: yes: no',
  ),
  'a part that is missing': replaceOne(/^site:.*\n( {2}.*\n)*/g, ''),
  'a tab as indentation': replaceOne(/\n {2}/g, '\n\t'),
  'a bracket that does not close': replaceOne(/[}\]]/g, ''),
  'a quote that does not close': (text) => `${text}log: {level: "info}\n`,
  'an alias bomb': (text) =>
    `${text}a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [${'*a,'.repeat(60)}*a]\nc: [${'*b,'.repeat(60)}*b]\n`,
  'an anchor that is not there': (text) => `${text}log: *nowhere\n`,
  'a list where a map belongs': replaceOne(/\b(storage|http|polling|log|outputs): ?\{[^}]*\}/g, '$1: [a, b]'),
  'a credential that is not there': replaceOne(
    /credentials: \[[^\]]*\]/g,
    'credentials: [offcie]',
    'credentials: office',
  ),
  'an SLA that is not there': replaceOne(/sla: gold/g, 'sla: golden', 'sla: [gold]'),
  'a parent that is not there': replaceOne(/parent: [\w-]+/g, 'parent: nobody', 'parent: sw-1'),
  'a check that is none': replaceOne(
    /checks: \[[^\]]*\]/g,
    'checks: [http]',
    'checks: [tcp/0]',
    'checks: []',
    'checks: icmp',
  ),
  'a class that is none': replaceOne(/class: firewall/g, 'class: fire', 'class: [firewall]'),
  'a version that is none': replaceOne(/version: (2c|3)/g, 'version: 4', 'version: two', 'version: [2c]'),
  'a protocol that is none': replaceOne(/protocol: \w+/g, 'protocol: rot13', 'protocol: 7'),
  'a secret that is a list': replaceOne(/(community|key|token|password): (zq-[\w-]+)/g, '$1: [$2]', '$1: {text: $2}'),
  'a secret under a wrong key': replaceOne(/(communit|toke|passwor)\w: (zq-[\w-]+)/g, '$1: $2'),
  'a secret in a variable that is not set': replaceOne(/: zq-[\w-]+/g, ': {env: SITEWARD_TEST_NOT_SET}'),
  'a secret in a file that is not there': replaceOne(/: zq-[\w-]+/g, ': {file: nowhere.key}'),
  'a target over a hundred': replaceOne(/99\.9%/g, '101%', '-1%', 'much'),
  'service hours that are none': replaceOne(/Mon-Fri 08:00-18:00/g, 'Mon-Fry 08:00-18:00', '25:00-26:00', 'sometimes'),
  'a time that is none': replaceOne(/2026-12-05T22:00/g, 'tomorrow', '2026-12-05', '2026-13-05T22:00Z'),
  'a URL that is none': replaceOne(/http:\/\/influx\.example:8086/g, 'influx', '"http://"'),
  'a range that is none': replaceOne(/192\.0\.2\.0\/24/g, '192.0.2.0/33', '192.0.2.0-9', '0.0.0.0/0'),
  'a price that is none': replaceOne(/"0\.\d+"/g, 'cheap', '"1,20"'),
  'a level that is none': replaceOne(/level: (warn|auth_priv)/g, 'level: loud'),
  'a page that is open to all': replaceOne(/127\.0\.0\.1:9720/g, '0.0.0.0:9720', '127.0.0.1', '127.0.0.1:99999x'),
};

/** Each of these leaves a file that may be good or wrong. */
const DISTURB: Readonly<Record<string, Mutate>> = {
  'a line that is gone': (text, random) => without(text, Math.floor(random() * text.split('\n').length)),
  'a file that ends early': (text, random) => text.slice(0, Math.floor(random() * text.length)),
  'a character that is another': (text, random) => {
    const at = Math.floor(random() * text.length);
    return text.slice(0, at) + String.fromCodePoint(Math.floor(random() * 0xd7ff)) + text.slice(at + 1);
  },
  'two lines that are swapped': (text, random) => {
    const lines = text.split('\n');
    const at = Math.floor(random() * (lines.length - 1));
    [lines[at], lines[at + 1]] = [lines[at + 1] ?? '', lines[at] ?? ''];
    return lines.join('\n');
  },
  'Windows line ends': (text) => text.replaceAll('\n', '\r\n'),
  'a byte order mark': (text) => `\ufeff${text}`,
  'a quotation of nothing': (text, random) => {
    const at = Math.floor(random() * text.length);
    return `${text.slice(0, at)}"${text.slice(at)}`;
  },
};

function without(text: string, line: number): string {
  return text
    .split('\n')
    .filter((_, index) => index !== line)
    .join('\n');
}

/** What `check` prints of a file, by what it calls; reading all profiles each time would take long. */
function faultsOf(file: string): string[] {
  try {
    loadConfig(file, {});
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(describeFault);
    throw error;
  }
}

test('the files that the next tests are made from are good, also with Windows line ends and a byte order mark', async () => {
  const file = join(await temporaryFolder(), 'siteward.yaml');
  for (const text of GOOD) {
    for (const variant of [text, text.replaceAll('\n', '\r\n'), `\ufeff${text}`]) {
      await writeFile(file, variant);

      expect(faultsOf(file), text).toEqual([]);
    }
  }
});

const SEED = 20_261_124;
const LOCATED = /^(.+):([1-9]\d*):([1-9]\d*): \S/;

test('three hundred mutants of good files: each that is wrong is told with its places, no stack, no secret', async () => {
  const random = seededRandom(SEED);
  const file = join(await temporaryFolder(), 'siteward.yaml');
  const kinds = [
    ...Object.entries(BREAK).map((kind) => [...kind, true] as const),
    ...Object.entries(DISTURB).map((kind) => [...kind, false] as const),
  ];
  let made = 0;
  let slowest = 0;
  for (let turn = 0; made < 300; turn += 1) {
    const [name, mutate, isWrong] = kinds[turn % kinds.length] ?? ['', () => undefined, false];
    const good = pick(GOOD, random) ?? '';
    const mutant = mutate(good, random);
    if (mutant === undefined || mutant === good) continue;
    made += 1;
    await writeFile(file, mutant);
    const started = performance.now();

    const context = `${name} (seed ${SEED}, turn ${turn}):\n${mutant}`;
    const lines = told(() => faultsOf(file), context);

    slowest = Math.max(slowest, performance.now() - started);
    if (isWrong) expect(lines, context).not.toEqual([]);
    for (const line of lines) {
      expect(LOCATED.exec(line)?.[1], `${context}\nline: ${line}`).toBe(file);
      for (const secret of SECRETS) expect(line, context).not.toContain(secret);
    }
  }
  expect(slowest).toBeLessThan(5_000);
}, 60_000);

function told<T>(read: () => T, context: string): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`not told but thrown: ${error}\n${context}`);
  }
}

test('a file of 50 MB is refused at once', async () => {
  const file = join(await temporaryFolder(), 'siteward.yaml');
  await writeFile(file, `${GOOD[0]}# ${'x'.repeat(50_000_000)}\n`);

  const started = performance.now();
  const lines = faultsOf(file);

  expect(performance.now() - started).toBeLessThan(5_000);
  expect(lines).toEqual([expect.stringMatching(/:1:1: .*1 MB/)]);
  expect(lines.join().length).toBeLessThan(1_000);
});
