import { describe, expect, test } from 'vitest';
import { ProfileLibrary } from '#collectors/snmp/profile/library.ts';
import { recognise } from '#collectors/snmp/profile/recognise.ts';
import { profilesOf, TestAgent } from './support.ts';

const FAMILIES = {
  net: 'title: Net\nmatch: [{sys_object_id: 1.3.6.1.4.1.8072.3.2.10}]',
  nas: 'title: Nas\nmatch: [{sys_object_id: 1.3.6.1.4.1.8072.3.2.10, probe: [{oid: 1.3.6.1.4.1.6574.1.5.1.0}]}]',
  acme: 'title: Acme\nmatch: [{sys_object_id: 1.3.6.1.4.1.99999}]',
  'acme-five': 'title: Acme five\nmatch: [{sys_object_id: 1.3.6.1.4.1.99999.5}]',
  text: "title: Text\nmatch: [{sys_descr: '^Widget \\d+', not_sys_descr: Lite}]",
  loud: 'title: Loud\nrank: 10\nmatch: [{sys_object_id: 1.3.6.1.4.1.99999, sys_name: ^loud}]',
  any: 'title: Any\nrank: -100\nmatch: [{}]',
  'any-printer':
    'title: Any printer\nrank: -80\nmatch: [{probe: [{oid: 1.3.6.1.2.1.25.3.2.1.2.1, matches: 25.3.1.5$}]}]',
};

function deviceText(sysObjectId: string, sysDescr = 'x', sysName = 'x'): string {
  return `1.3.6.1.2.1.1.1.0|4|${sysDescr}\n1.3.6.1.2.1.1.2.0|6|${sysObjectId}\n1.3.6.1.2.1.1.5.0|4|${sysName}\n`;
}

async function recognised(
  recording: string,
): Promise<{ profile: string | undefined; rounds: number; asked: readonly string[] }> {
  const { profiles, lines } = profilesOf(FAMILIES);
  expect(lines).toEqual([]);
  const agent = new TestAgent(recording);
  const { profile } = await recognise(agent, new ProfileLibrary(profiles), new AbortController().signal);
  const rounds = agent.plans.length;
  return { profile, rounds, asked: agent.takeAsked() };
}

describe('recognising a device', () => {
  test('the longest prefix of sysObjectID wins, by whole numbers, in one round', async () => {
    expect(await recognised(deviceText('1.3.6.1.4.1.99999.5.1'))).toMatchObject({ profile: 'acme-five', rounds: 1 });
    expect(await recognised(deviceText('1.3.6.1.4.1.99999.51'))).toMatchObject({ profile: 'acme', rounds: 1 });
  });

  test('a probe that answers tells an appliance from the agent that it is built on', async () => {
    const plain = await recognised(deviceText('1.3.6.1.4.1.8072.3.2.10'));
    const appliance = await recognised(`${deviceText('1.3.6.1.4.1.8072.3.2.10')}1.3.6.1.4.1.6574.1.5.1.0|4|DS`);

    expect(plain).toMatchObject({ profile: 'net', rounds: 2 });
    expect(appliance.profile).toBe('nas');
  });

  test('no tree of a maker is probed that sysObjectID rules out', async () => {
    const { asked } = await recognised(deviceText('1.3.6.1.4.1.99999.5'));

    expect(asked).not.toContain('1.3.6.1.4.1.6574.1.5.1.0');
  });

  test('sysDescr names what has no sysObjectID of its own', async () => {
    expect((await recognised(deviceText('0.0', 'Widget 12'))).profile).toBe('text');
    expect((await recognised(deviceText('0.0', 'Widget 12 Lite'))).profile).toBe('any');
  });

  test('a rank wins over everything more specific', async () => {
    expect((await recognised(deviceText('1.3.6.1.4.1.99999.5', 'x', 'loud-1'))).profile).toBe('loud');
  });

  test('what nothing else fits is a printer if it says so, else any device', async () => {
    const printer = `${deviceText('1.3.6.1.4.1.77777')}1.3.6.1.2.1.25.3.2.1.2.1|6|1.3.6.1.2.1.25.3.1.5`;

    expect((await recognised(printer)).profile).toBe('any-printer');
    expect((await recognised(deviceText('1.3.6.1.4.1.77777'))).profile).toBe('any');
  });

  test('an agent that tells nothing is still any device', async () => {
    expect((await recognised('1.3.6.1.2.1.1.3.0|67|5')).profile).toBe('any');
  });
});
