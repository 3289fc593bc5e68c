import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SitewardError } from '#config/errors.ts';
import { run as discover } from '#daemon/cli/discover.ts';
import type { CliIo, Options } from '#daemon/cli/verb.ts';
import { fleetIsThere, recordedDevices, startFleet } from '../../support/fleet.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { siteward } from '../../support/siteward.ts';
import { freeUdpPort } from '../../support/snmpd.ts';

const CLASSES: Readonly<Record<string, readonly string[]>> = {
  printer: ['printer'],
  firewall: ['firewall'],
  server: ['server'],
  bmc: ['server'],
  nas: ['nas'],
  ups: ['ups'],
  'switch-ap': ['switch', 'ap'],
};

interface Document {
  readonly ranges: readonly string[];
  readonly found: readonly {
    readonly address: string;
    readonly addresses: readonly string[];
    readonly class: string | null;
    readonly known_as: string | null;
    readonly reason: string;
    readonly adoption: { readonly adopt: boolean; readonly name: string | null };
  }[];
  readonly packets_sent: number;
  readonly seconds: number;
  readonly complete: boolean;
  readonly answering: readonly string[];
}

/** A home of its own, so that failed tries of one test hold no other back. */
async function home(): Promise<{ env: NodeJS.ProcessEnv; folder: string }> {
  const folder = await temporaryFolder();
  return { folder, env: { ...process.env, XDG_STATE_HOME: folder } };
}

describe.skipIf(!fleetIsThere())('over recorded devices', () => {
  /** Two or three of each kind. */
  const chosen = Object.keys(CLASSES)
    .flatMap((category) =>
      recordedDevices()
        .filter((each) => each.category === category && each.name !== 'jetdirect_context')
        .slice(0, 3),
    )
    .slice(0, 16);
  const placed = chosen.map((device, index) => [device, `127.8.0.${index + 1}`] as const);

  test('a range is scanned: all found, all classed right, nothing outside', async () => {
    const onPort161 = process.getuid?.() === 0;
    const port = onPort161 ? 161 : await freeUdpPort();
    await using _fleet = await startFleet(port, [
      ...placed.map(([{ path }, address]) => [path, address] as const),
      [chosen[0]?.path ?? '', '127.8.0.40'],
    ]);
    const { env, folder } = await home();

    const { code, stdout } = await siteward(
      ['discover', '127.8.0.0/27', '--json', ...(onPort161 ? [] : ['--port', `${port}`])],
      { env, cwd: folder },
    );
    const { ranges, found, answering, complete, packets_sent } = JSON.parse(stdout) as Document;

    expect(code).toBe(0);
    expect(complete).toBe(true);
    expect(ranges).toEqual(['127.8.0.0/27']);
    expect(found.map(({ address }) => address)).toEqual(placed.map(([, address]) => address));
    for (const [index, [{ category, name }]] of placed.entries())
      expect([name, CLASSES[category]]).toEqual([name, expect.arrayContaining([found[index]?.class])]);
    expect(answering).toHaveLength(16);
    expect(packets_sent).toBeGreaterThan(32);
  });

  test('what is adopted is known by its name the next time', async () => {
    const port = await freeUdpPort();
    await using _fleet = await startFleet(
      port,
      placed.slice(0, 3).map(([{ path }, address]) => [path, address] as const),
    );
    const { env, folder } = await home();
    const config = join(folder, 'siteward.yaml');
    await writeFile(
      config,
      `site: {id: s, client: c}
storage: {directory: state}
credentials: {office: {version: 2c, community: public}}
discovery:
  ranges: [{range: 127.8.0.0/30, credentials: [office], port: ${port}, adopt: rules}]
  rules: [{class: printer, as: "copier-{address}", sla: gold}]
slas: {gold: {target: 99.9%}}
`,
    );
    const scan = async (...more: string[]) =>
      await siteward(['discover', '--config', config, '--port', `${port}`, '--json', ...more], { env, cwd: folder });

    const before = JSON.parse((await scan('--adopt')).stdout) as Document;
    const after = JSON.parse((await scan()).stdout) as Document;
    const exported = await siteward(['devices', '--export', '--config', config], { env, cwd: folder });

    expect(before.found.map(({ known_as }) => known_as)).toEqual([null, null, null]);
    expect(after.found.map(({ known_as }) => known_as)).toEqual([
      'copier-127.8.0.1',
      'copier-127.8.0.2',
      'copier-127.8.0.3',
    ]);
    expect(exported.stdout).toContain(
      `  - {name: "copier-127.8.0.1", address: "127.8.0.1", port: ${port}, credentials: ["office"], sla: "gold"}`,
    );
  });
});

describe('what cannot be scanned', () => {
  const CONFIG = `site: {id: s, client: c}
discovery: {ranges: [{range: 192.0.2.0/24}]}
`;

  const io: CliIo = {
    out: () => {},
    err: () => {},
    isTerminal: false,
    env: {},
    signal: new AbortController().signal,
  };

  test.each<[string[], Options, RegExp]>([
    [['10.0.0.0/2'], {}, /^10.0.0.0\/2 has 1,073,741,824 addresses/],
    [['10.0.0.0/8'], {}, /write the networks that are in use/],
    [['300.1.1.1'], {}, /not a range/],
    [['printer;reboot'], {}, /not a range/],
    [['$(reboot)'], {}, /not a range/],
    [['-oN', 'x'], {}, /not a range/],
    [['198.51.100.0/24'], {}, /outside the ranges of the config.*192\.0\.2\.0\/24/],
    [['192.0.2.0/23'], {}, /outside the ranges of the config/],
    [['192.0.2.0/24'], { port: '0' }, /not a port/],
    [['192.0.2.0/24'], { credentials: 'x' }, /there is no "x" under credentials/],
  ])('%j %j is refused before anything is sent, and says what to write', async (ranges, options, said) => {
    const config = join(await temporaryFolder(), 'siteward.yaml');
    await writeFile(config, CONFIG);

    const refused = await discover(io, ranges, { config, ...options }).then(
      () => undefined,
      (error: unknown) => (error instanceof SitewardError ? error : undefined),
    );

    expect(`${refused?.message} ${refused?.hint}`).toMatch(said);
  });

  test('on the command line that is exit status 2 without a stack trace', async () => {
    const { env, folder } = await home();

    const results = await Promise.all([
      siteward(['discover', '10.0.0.0/8'], { env, cwd: folder }),
      siteward(['discover', '-oN', 'x'], { env, cwd: folder }),
    ]);

    for (const { code, stdout, stderr } of results) {
      expect(code).toBe(2);
      expect(stderr).not.toMatch(/ at .*\.ts/);
      expect(stdout).toBe('');
    }
  });

  test('ranges of the config that overlap, or that no scan ends, are told with their place', async () => {
    const { env, folder } = await home();
    const config = join(folder, 'siteward.yaml');
    await writeFile(
      config,
      `site: {id: s, client: c}
discovery:
  ranges:
    - {range: 192.0.2.0/24}
    - {range: 192.0.2.128/25}
    - {range: 10.0.0.0/8}
`,
    );

    const { code, stderr } = await siteward(['check', '--config', config], { env, cwd: folder });

    expect(code).toBe(2);
    expect(stderr).toMatch(/:5:\d+: discovery\.ranges\[1\]\.range: .*overlaps 192\.0\.2\.0\/24 of ranges\[0\]/);
    expect(stderr).toMatch(/:6:\d+: discovery\.ranges\[2\]\.range: 10\.0\.0\.0\/8 has 16,777,216 addresses/);
  });
});
