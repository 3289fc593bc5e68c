import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run as poll } from '#daemon/cli/poll.ts';
import { run as profiles } from '#daemon/cli/profiles.ts';
import type { CliIo, Options, RunVerb } from '#daemon/cli/verb.ts';
import { startSnmpd } from '../../support/snmpd.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'siteward-recording-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Runs a verb and keeps what it says. */
async function say(verb: RunVerb, args: readonly string[], options: Options) {
  const said = { out: '', err: '' };
  const io: CliIo = {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    isTerminal: false,
    env: {},
    signal: new AbortController().signal,
  };
  const status = await verb(io, args, options);
  return { status, ...said };
}

interface PollDocument {
  readonly device: Readonly<Record<string, unknown>>;
  readonly readings: readonly { readonly metric: string; readonly labels: unknown; readonly value: number }[];
}

/** What does not move between two looks at a machine that works. */
function still({ readings }: PollDocument): readonly string[] {
  const moving = /uptime|cpu|load|_total$|_used_/;
  return readings.filter(({ metric }) => !moving.test(metric)).map((reading) => JSON.stringify(reading));
}

function names({ readings }: PollDocument): readonly string[] {
  return readings.map(({ metric, labels }) => `${metric}${JSON.stringify(labels)}`);
}

describe('recording a device', () => {
  test('a recording of a real snmpd is read as the snmpd itself is', async () => {
    await using agent = await startSnmpd({
      communities: ['watch-me'],
      conf: ['sysContact Jane Roe <jane@client.example>', 'sysLocation Cellar 7'],
    });
    const asking = { community: 'watch-me', port: String(agent.port), json: true };
    const file = join(folder, 'snmpd.snmprec');

    const recorded = await say(profiles, ['record', agent.address], { ...asking, output: file });
    const live = JSON.parse((await say(poll, [agent.address], asking)).out) as PollDocument;
    const [replayed] = JSON.parse((await say(profiles, ['test', file], { json: true })).out) as PollDocument[];

    expect(recorded).toMatchObject({ status: 0, out: `${file}\n` });
    expect(recorded.err).toContain('17/19 wireless adapters');
    expect(live.readings.length).toBeGreaterThan(20);
    expect(replayed && names(replayed)).toEqual(names(live));
    expect(replayed && still(replayed)).toEqual(still(live));
    expect(replayed?.device).toMatchObject({ class: 'server', sys_name: live.device['sys_name'] });
    const text = readFileSync(file, 'utf8');
    for (const secret of ['watch-me', 'Jane', 'client.example', 'Cellar']) expect(text).not.toContain(secret);
  }, 60_000);

  test('a file that is there is not written over', async () => {
    await using agent = await startSnmpd({ communities: ['public'] });
    const file = join(folder, 'kept.snmprec');
    await writeFile(file, 'kept');

    const writing = say(profiles, ['record', agent.address], {
      community: 'public',
      port: String(agent.port),
      output: file,
    });

    await expect(writing).rejects.toMatchObject({ code: 'NOT_WRITTEN' });
    expect(readFileSync(file, 'utf8')).toBe('kept');
  }, 60_000);
});

describe('proposing from a panel', () => {
  test('the objects are named, and a counter without one is a failure', async () => {
    const file = join(folder, 'printer.snmprec');
    await writeFile(file, '1.3.6.1.4.1.99999.1.0|65|12345\n1.3.6.1.4.1.99999.2.0|65|678\n');

    const found = await say(profiles, ['propose', file], { panel: 'total=12345,color=678' });
    const missing = await say(profiles, ['propose', file], { panel: 'total=99999', json: true });

    expect(found.status).toBe(0);
    expect(found.out).toMatch(/total = 12345\n {2}1\.3\.6\.1\.4\.1\.99999\.1\.0/);
    expect(missing.status).toBe(1);
    expect(JSON.parse(missing.out)).toEqual([{ name: 'total', value: 99_999, candidates: [] }]);
  });

  test.each([[undefined], ['total'], ['total=12x']])('a panel of %j is told what to write', async (panel) => {
    const file = join(folder, 'printer.snmprec');

    await expect(say(profiles, ['propose', file], { panel })).rejects.toMatchObject({
      hint: expect.stringContaining('--panel total=12345'),
    });
  });
});
