import { expect, test } from 'vitest';
import { samplesOf, sampleValue } from '../support/exposition.ts';
import { CREDENTIALS, startRecordedSite } from '../support/recorded-site.ts';
import { startDaemon, writeConfig } from '../support/siteward.ts';

/** Asked for availability often, and by SNMP only once: every further request would be one that a reload made. */
const POLLING = { availability: '5s', metrics: '1d', inventory: '7d' };
const STAYING = ['fortinet-fortigate', 'cisco-ios', 'kyocera'];

const known = (count: number) => (samples: Parameters<typeof samplesOf>[0]) =>
  samplesOf(samples, 'siteward_device_info').filter(({ labels }) => labels.profile !== '').length === count ||
  undefined;

test('a reload keeps counters, schedule and sessions of what did not change, and a bad one keeps all and says why', async () => {
  await using site = await startRecordedSite([...STAYING, 'apc-ups', 'windows']);
  const settings = site.settings.map((device) => ({ ...device, name: String(device.name), checks: ['icmp'] }));
  const staying = settings.slice(0, STAYING.length);
  const [leaving, coming] = settings.slice(STAYING.length);
  const config = (devices: readonly unknown[], rest = {}) => ({
    credentials: CREDENTIALS,
    polling: POLLING,
    devices,
    ...rest,
  });
  await using daemon = await startDaemon(config([...staying, leaving]));
  const post = () => fetch(`${daemon.url}/-/reload`, { method: 'POST' });
  const sent = async () => samplesOf(await daemon.scrape(), 'siteward_icmp_packets_sent_total');
  const requests = () => site.devices.slice(0, STAYING.length).map(({ agent }) => agent.requests);

  await daemon.metrics('all four known', known(4));
  await daemon.metrics(
    'echo requests',
    (samples) => samplesOf(samples, 'siteward_icmp_packets_sent_total').length === 4 || undefined,
  );
  const [sentBefore, requestsBefore] = [await sent(), requests()];

  // A config with two faults: everything stays as it is.
  await writeConfig(daemon.configFile, config([{ ...staying[0], port: 70_000 }], { poling: {} }));
  daemon.child.kill('SIGHUP');
  const line = await daemon.logged('what is wrong', ({ message }) =>
    message.startsWith('the config could not be read again'),
  );
  expect(line.level).toBe('error');
  const faults = [
    expect.stringMatching(/siteward\.yaml:\d+:\d+: .*70000/),
    expect.stringMatching(/siteward\.yaml:\d+:\d+: poling: /),
  ];
  expect((line.faults as string[]).toSorted()).toEqual(expect.arrayContaining(faults));
  const refused = await post();
  expect(refused.status).toBe(422);
  expect(await refused.text()).toMatch(/the old config stays in force\n(.*\n)*.*70000/);
  const afterRefusal = await daemon.scrape();
  expect(sampleValue(afterRefusal, 'siteward_config_last_reload_successful')).toBe(0);
  expect(samplesOf(afterRefusal, 'siteward_device_info')).toHaveLength(4);

  // A good one: one device goes, one comes, three stay.
  await writeConfig(daemon.configFile, config([...staying, coming]));
  const taken = await post();
  expect(taken.status).toBe(200);
  await daemon.metrics('the device that came', known(4));
  const after = await daemon.scrape();
  expect(sampleValue(after, 'siteward_config_last_reload_successful')).toBe(1);
  const names = samplesOf(after, 'siteward_device_info').map(({ labels }) => labels.device);
  expect(names.toSorted()).toEqual([...staying, coming].map((device) => String(device?.name)).toSorted());
  // Nothing is left of the one that went.
  expect(after.filter(({ labels }) => labels.device === leaving?.name)).toEqual([]);

  // The same again by a signal: nothing changes at all.
  daemon.child.kill('SIGHUP');
  await daemon.logged(
    'the second good reload',
    () => daemon.log.filter(({ message }) => message === 'the config was read again').length === 2,
  );

  const now = await daemon.metrics('one more round of echo requests', (samples) => {
    const counts = samplesOf(samples, 'siteward_icmp_packets_sent_total', { device: STAYING[0] ?? '' });
    const before = sentBefore.find(({ labels }) => labels.device === STAYING[0])?.value ?? 0;
    return (counts[0]?.value ?? 0) > before ? samples : undefined;
  });
  for (const device of STAYING) {
    const before = sentBefore.find(({ labels }) => labels.device === device)?.value ?? 0;
    expect(sampleValue(now, 'siteward_icmp_packets_sent_total', { device })).toBeGreaterThan(before);
    expect(sampleValue(now, 'siteward_device_state', { device, state: 'up' })).toBe(1);
  }
  expect(requests()).toEqual(requestsBefore);
}, 300_000);
