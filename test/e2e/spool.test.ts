/** `siteward spool` over what a real influxd refuses: listed with its words, sent again, thrown away; all of it counted. */
import { expect, onTestFinished, test } from 'vitest';
import { run } from '#daemon/cli/spool.ts';
import type { CliIo, Options } from '#daemon/cli/verb.ts';
import { type Sample, sampleValue } from '../support/exposition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startInfluxd } from '../support/influxd.ts';
import { siteward, startDaemon } from '../support/siteward.ts';

interface Listed {
  readonly outputs: readonly {
    readonly produced: number;
    readonly written: number;
    readonly pending: number;
    readonly quarantined: number;
    readonly dropped: Readonly<Record<string, number>>;
  }[];
  readonly quarantine: readonly {
    readonly id: number;
    readonly output: string;
    readonly at: string;
    readonly status: number;
    readonly message: string;
    readonly points: number;
    readonly records: readonly string[];
  }[];
}

/** The verb in this process: most of the time of a command goes into its start. */
async function here(args: readonly string[], options: Options): Promise<{ code: number; out: string }> {
  let out = '';
  const io: CliIo = {
    out: (text) => {
      out += text;
    },
    err: () => {},
    isTerminal: false,
    env: {},
    signal: new AbortController().signal,
  };
  return { code: await run(io, args, options), out };
}

/** What became of points, as one scrape says it; that they add up is seen to in every scrape. */
function fates(samples: readonly Sample[]) {
  const value = (name: string, labels = {}) => sampleValue(samples, name, { output: 'central', ...labels });
  return {
    pending: value('siteward_spool_points'),
    quarantined: value('siteward_spool_quarantined_points'),
    byOperator: value('siteward_output_points_dropped_total', { reason: 'operator' }),
  };
}

test('a field of another type at the receiver: refused, listed, mended there and sent again', async () => {
  const influxd = await startInfluxd(await temporaryFolder());
  onTestFinished(() => influxd.stop('SIGKILL'));
  await influxd.query('CREATE DATABASE siteward');
  // Whoever wrote first has said what type the field is.
  await fetch(`${influxd.url}/write?db=siteward`, { method: 'POST', body: 'icmp,device=other packets_sent="many"\n' });
  await using daemon = await startDaemon({
    devices: [{ name: 'itself', address: '127.0.0.1', checks: ['icmp'] }],
    polling: { availability: '5s' },
    outputs: { influx: [{ name: 'central', url: influxd.url }] },
  });
  const spool = async (...args: string[]) => await siteward(['spool', ...args, '--config', daemon.configFile]);
  const listed = async () =>
    JSON.parse((await here(['list'], { json: true, config: daemon.configFile })).out) as Listed;
  await daemon.metrics('two points refused', (now) => {
    const refused = sampleValue(now, 'siteward_output_points_total', { output: 'central', outcome: 'rejected' });
    return (refused ?? 0) >= 2 || undefined;
  });

  const shown = await spool('list');
  const { quarantine, outputs } = await listed();
  const [first, second] = quarantine;

  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout).toMatch(/^central: \d+ points wait/);
  expect(shown.stdout).toMatch(/^#1 central, \S+: 1 points refused with 400: .*field type conflict/m);
  expect(first).toMatchObject({
    output: 'central',
    status: 400,
    message: expect.stringContaining('packets_sent'),
    records: [expect.stringMatching(/^icmp,.*device=itself.* .*packets_sent=\d+i/)],
  });
  for (const { produced, written, pending, quarantined, dropped } of outputs)
    expect(written + pending + quarantined + Object.values(dropped).reduce((sum, n) => sum + n, 0)).toBe(produced);

  const dropped = await spool('drop', String(first?.id));

  expect(dropped).toMatchObject({ code: 0, stdout: '1 points were thrown away\n', stderr: '' });
  const afterDrop = await daemon.scrape();
  expect(fates(afterDrop).byOperator).toBe(1);

  await influxd.query('DROP MEASUREMENT "icmp"');
  const waiting = (await listed()).quarantine;
  const retried = await spool('retry', '--output', 'central');

  expect(retried).toMatchObject({ code: 0, stderr: '' });
  expect(Number(/^(\d+) points are on their way again\n$/.exec(retried.stdout)?.[1])).toBeGreaterThanOrEqual(
    waiting.length,
  );
  await daemon.metrics('an empty quarantine', (now) => {
    const { quarantined, pending } = fates(now);
    return quarantined === 0 && pending === 0 ? now : undefined;
  });
  const arrived = await influxd.query('SELECT packets_sent FROM "icmp" WHERE device = \'itself\'');
  const times = arrived.map(({ time }) => String(time));
  // A line ends with its time, in the precision of the output.
  const timesOf = (records: readonly string[] = []) => records.map((record) => record.split(' ').at(-1));
  expect(times).toEqual(expect.arrayContaining(waiting.flatMap(({ records }) => timesOf(records))));
  expect(times).toContain(timesOf(second?.records)[0]);
  expect(times).not.toContain(timesOf(first?.records)[0]);
  expect((await listed()).quarantine).toEqual([]);
  const config = daemon.configFile;
  await expect(here(['eat'], { config })).rejects.toMatchObject({ hint: 'write list, retry or drop' });
  await expect(here(['drop', 'x7'], { config })).rejects.toMatchObject({ hint: expect.stringContaining('spool list') });
}, 120_000);
