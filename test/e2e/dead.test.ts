import { expect, test } from 'vitest';
import { sampleValue } from '../support/exposition.ts';
import { CREDENTIALS, startRecordedSite } from '../support/recorded-site.ts';
import { startDaemon } from '../support/siteward.ts';
import { freeUdpPort } from '../support/snmpd.ts';

test('a device that lets every round wait until its deadline goes down, and holds up no other', async () => {
  await using site = await startRecordedSite(['fortinet-fortigate', 'kyocera']);
  const dead = {
    name: 'dead',
    address: '127.0.0.1',
    port: await freeUdpPort(),
    credentials: ['office'],
    checks: ['snmp'],
  };
  await using daemon = await startDaemon({
    credentials: CREDENTIALS,
    polling: { availability: '5s', metrics: '15s' },
    devices: [dead, ...site.settings],
  });

  const samples = await daemon.metrics('that the dead one is down', (now) =>
    sampleValue(now, 'siteward_device_state', { device: 'dead', state: 'down' }) === 1 ? now : undefined,
  );

  for (const device of ['fortinet-fortigate', 'kyocera'])
    expect(sampleValue(samples, 'siteward_device_state', { device, state: 'up' })).toBe(1);
  expect(sampleValue(samples, 'siteward_device_up', { device: 'dead' })).toBe(0);
  expect(sampleValue(samples, 'siteward_probe_success', { device: 'dead', probe: 'snmp' })).toBe(0);
  expect(daemon.log.filter(({ level }) => level === 'error')).toEqual([]);
}, 180_000);
