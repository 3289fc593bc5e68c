import { describe, expect, test } from 'vitest';
import { ProfileLibrary } from '#collectors/snmp/profile/library.ts';
import { deviceOf, libraryOf, lines, profilesOf } from './support.ts';

const SYSTEM = `
1.3.6.1.2.1.1.1.0|4|Test device
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999.1
1.3.6.1.2.1.1.3.0|67|5000
1.3.6.1.2.1.1.5.0|4|dev-1
`;

const SESSIONS = `
areas:
  sessions:
    - readings: [{metric: siteward_firewall_sessions, value: 1.3.6.1.4.1.99999.2.1.0}]
    - readings: [{metric: siteward_firewall_sessions, value: 1.3.6.1.4.1.99999.2.2.0}]
`;

describe('sources', () => {
  test('the first that answers is taken, and the next poll asks only that', async () => {
    const device = deviceOf(libraryOf(SESSIONS), `${SYSTEM}1.3.6.1.4.1.99999.2.2.0|66|7`);

    const inventory = await device.ask('inventory');
    device.agent.takeAsked();
    const metrics = await device.ask('metrics');

    expect(lines(inventory)).toEqual(['firewall_sessions{} 7']);
    expect(lines(metrics)).toEqual(['firewall_sessions{} 7']);
    expect(device.agent.plans).toHaveLength(1);
    const asked = device.agent.takeAsked();
    expect(asked).toContain('1.3.6.1.4.1.99999.2.2.0');
    expect(asked).not.toContain('1.3.6.1.4.1.99999.2.1.0');
  });

  test('a source that falls silent between two inventories gives nothing, and no other steps in', async () => {
    const device = deviceOf(libraryOf(SESSIONS), `${SYSTEM}1.3.6.1.4.1.99999.2.1.0|66|5\n1.3.6.1.4.1.99999.2.2.0|66|7`);
    await device.ask('inventory');

    device.agent.become(`${SYSTEM}1.3.6.1.4.1.99999.2.2.0|66|7`);
    const silent = await device.ask('metrics');
    const learnt = await device.ask('inventory');

    expect(silent.groups).toEqual([{ name: 'sessions', readings: [] }]);
    expect(lines(learnt)).toEqual(['firewall_sessions{} 7']);
  });

  test('a condition that the system group rules out costs no question', async () => {
    const library = libraryOf(`
areas:
  sessions:
    - when: [{value: 1.3.6.1.2.1.1.1.0, matches: Other}]
      readings: [{metric: siteward_firewall_sessions, value: 1.3.6.1.4.1.99999.2.1.0}]
`);
    const device = deviceOf(library, `${SYSTEM}1.3.6.1.4.1.99999.2.1.0|66|5`);

    const inventory = await device.ask('inventory');

    expect(lines(inventory)).toEqual([]);
    expect(device.agent.takeAsked()).not.toContain('1.3.6.1.4.1.99999.2.1.0');
  });

  test('all sources of an area add to it, and a series that two give is given once', async () => {
    const library = libraryOf(`
areas:
  memory:
    - readings: [{memory: Physical memory, size: 1000, used: 400}]
    - readings: [{memory: Physical memory, size: 1000, used: 900}, {memory: Swap, size: 100, free: 100}]
`);
    const device = deviceOf(library, SYSTEM);

    expect(lines(await device.ask('inventory'))).toEqual([
      'memory_size_bytes{Physical memory} 1000',
      'memory_used_bytes{Physical memory} 400',
      'memory_used_ratio{Physical memory} 0.4',
      'memory_size_bytes{Swap} 100',
      'memory_used_bytes{Swap} 0',
      'memory_used_ratio{Swap} 0',
    ]);
  });
});

const SENSORS = `
tables:
  sensor: {entry: 1.3.6.1.4.1.99999.3.1, columns: {name: 2, value: 3, spare: 4}, slow: [name]}
areas:
  sensors:
    - rows: sensor
      readings:
        - metric: siteward_sensor_temperature_celsius
          labels: {sensor: {first: [{column: name, decode: text}, {join: [Sensor, {index: all}]}]}}
          value: {first: [{column: spare}, {column: value}]}
`;

describe('rows', () => {
  test('rows of one name get their index behind it, all of them', async () => {
    const device = deviceOf(
      libraryOf(SENSORS),
      `${SYSTEM}
1.3.6.1.4.1.99999.3.1.2.1|4|CPU
1.3.6.1.4.1.99999.3.1.2.2|4|CPU
1.3.6.1.4.1.99999.3.1.2.3|4|N/A
1.3.6.1.4.1.99999.3.1.3.1|2|40
1.3.6.1.4.1.99999.3.1.3.2|2|-5
1.3.6.1.4.1.99999.3.1.3.3|2|2147483647
1.3.6.1.4.1.99999.3.1.3.4|2|21`,
    );

    expect(lines(await device.ask('inventory'))).toEqual([
      'sensor_temperature_celsius{CPU (1)} 40',
      'sensor_temperature_celsius{CPU (2)} -5',
      'sensor_temperature_celsius{Sensor 4} 21',
    ]);
  });

  test('slow columns are remembered, and columns that the device lacks are not asked again', async () => {
    const recording = `${SYSTEM}
1.3.6.1.4.1.99999.3.1.2.1|4|CPU
1.3.6.1.4.1.99999.3.1.3.1|2|40`;
    const device = deviceOf(libraryOf(SENSORS), recording);
    await device.ask('inventory');
    device.agent.takeAsked();

    const metrics = await device.ask('metrics');

    expect(lines(metrics)).toEqual(['sensor_temperature_celsius{CPU} 40']);
    expect(device.agent.takeAsked().filter((oid) => oid.startsWith('1.3.6.1.4.1.99999'))).toEqual([
      '1.3.6.1.4.1.99999.3.1.3',
    ]);
  });

  test('labels are the same object from poll to poll', async () => {
    const device = deviceOf(libraryOf(SENSORS), `${SYSTEM}1.3.6.1.4.1.99999.3.1.3.1|2|40`);

    const first = await device.ask('inventory');
    const second = await device.ask('metrics');

    expect(second.groups[0]?.readings[0]?.labels).toBe(first.groups[0]?.readings[0]?.labels);
  });
});

describe('what changes behind an address', () => {
  test('another sysObjectID is another device: it is recognised anew at once', async () => {
    const device = deviceOf(libraryOf(SESSIONS), `${SYSTEM}1.3.6.1.4.1.99999.2.1.0|66|5`);
    await device.ask('inventory');

    device.agent.become(`${SYSTEM.replace('99999.1', '99999.7')}1.3.6.1.4.1.99999.2.2.0|66|9`);
    const metrics = await device.ask('metrics');

    expect(metrics.identity?.sysObjectId).toBe('1.3.6.1.4.1.99999.7');
    expect(lines(metrics)).toEqual(['firewall_sessions{} 9']);
  });

  test('a device that started anew is looked at anew, but not at every poll', async () => {
    const device = deviceOf(
      libraryOf(SENSORS),
      `${SYSTEM}1.3.6.1.4.1.99999.3.1.2.1|4|Old\n1.3.6.1.4.1.99999.3.1.3.1|2|40`,
    );
    await device.ask('inventory');
    for (let poll = 0; poll < 5; poll += 1) await device.ask('metrics');

    const anew = `${SYSTEM.replace('5000', '100')}1.3.6.1.4.1.99999.3.1.2.1|4|New\n1.3.6.1.4.1.99999.3.1.3.1|2|41`;
    device.agent.become(anew);
    const first = await device.ask('metrics');
    device.agent.become(anew.replace('67|100', '67|90').replace('|New', '|Newer'));
    const second = await device.ask('metrics');

    expect(lines(first)).toEqual(['sensor_temperature_celsius{New} 41']);
    expect(first.identity).toBeDefined();
    expect(lines(second)).toEqual(['sensor_temperature_celsius{New} 41']);
    expect(second.identity).toBeUndefined();
  });
});

describe('half an answer', () => {
  const METERS = `
tables:
  own: {entry: 1.3.6.1.4.1.99999.4.1, columns: {pages: 2}}
areas:
  meters:
    - readings: [{meter: total, value: {aggregate: {table: own, column: pages, by: sum}}}]
    - readings: [{meter: total, value: 1.3.6.1.2.1.43.10.2.1.4.1.1}]
`;
  const PRINTER = `${SYSTEM}
1.3.6.1.4.1.99999.4.1.2.1|65|100
1.3.6.1.4.1.99999.4.1.2.2|65|50
1.3.6.1.2.1.43.10.2.1.4.1.1|65|151`;

  test('a meter has its OIDs, unit and raw values with it', async () => {
    const device = deviceOf(libraryOf(METERS), PRINTER);

    const { groups } = await device.ask('inventory');

    expect(groups[0]?.readings).toEqual([
      {
        metric: 'siteward_printer_meter_pages_total',
        labels: { meter: 'total' },
        value: 150n,
        source: {
          oid: '1.3.6.1.4.1.99999.4.1.2.1+1.3.6.1.4.1.99999.4.1.2.2',
          unit: 'impressions',
          raw: '100+50',
        },
      },
    ]);
  });

  test('a column that breaks off gives no sum, and no other counter family steps in', async () => {
    const device = deviceOf(libraryOf(METERS), PRINTER);
    await device.ask('inventory');
    device.agent.partial.push({ column: '1.3.6.1.4.1.99999.4.1.2', reason: 'no-answer' });

    const metrics = await device.ask('metrics');
    const inventory = await device.ask('inventory');
    device.agent.partial.length = 0;
    const healed = await device.ask('metrics');

    expect(lines(metrics)).toEqual([]);
    expect(lines(inventory)).toEqual([]);
    expect(metrics.problems.map(({ code }) => code)).toEqual(['SNMP_PARTIAL']);
    expect(lines(healed)).toEqual(['printer_meter_pages_total{total} 150']);
  });

  test('a reading whose part got no answer is absent: no other value and no other name stands in for it', async () => {
    const library = libraryOf(`
tables: {i: {entry: 1.3.9.1, columns: {name: 1, octets: 2, hc_octets: 3}}}
areas:
  interfaces:
    - rows: i
      readings:
        - metric: siteward_interface_receive_bytes_total
          labels: {interface: {first: [{column: name}, {join: [if, {index: all}]}]}}
          value: {first: [{column: hc_octets}, {column: octets}]}
`);
    const names = '1.3.9.1.1.1|4|eth0\n1.3.9.1.1.2|4|eth1';
    const octets = '1.3.9.1.2.1|65|5\n1.3.9.1.2.2|65|6';
    const device = deviceOf(
      library,
      `${SYSTEM}${names}\n${octets}\n1.3.9.1.3.1|70|4294967301\n1.3.9.1.3.2|70|4294967302`,
    );
    await device.ask('inventory');

    device.agent.become(`${SYSTEM}${names}\n${octets}\n1.3.9.1.3.1|70|4294967401`);
    device.agent.partial.push({ column: '1.3.9.1.3', reason: 'out-of-time' });
    const half = await device.ask('metrics');
    device.agent.become(`${SYSTEM}1.3.9.1.1.1|4|eth0\n${octets}\n1.3.9.1.3.1|70|4294967501\n1.3.9.1.3.2|70|4294967502`);
    device.agent.partial.splice(0, 1, { column: '1.3.9.1.1', reason: 'out-of-time' });
    const nameless = await device.ask('metrics');

    expect(lines(half)).toEqual(['interface_receive_bytes_total{eth0} 4294967401']);
    expect(lines(nameless)).toEqual(['interface_receive_bytes_total{eth0} 4294967501']);
  });

  test('a fact whose first choice got no answer is not known this time', async () => {
    const library = libraryOf('identity: {serial: {first: [1.3.8.1.0, 1.3.8.2.0]}, model: X}');
    const device = deviceOf(library, `${SYSTEM}1.3.8.2.0|4|BOARD-7`);
    device.agent.partial.push({ column: '1.3.8.1.0', reason: 'no-answer' });

    const { identity } = await device.ask('inventory');

    expect(identity?.serial).toBeUndefined();
    expect(identity?.model).toBe('X');
  });

  test('a recognition that got half an answer leaves the device what it was', async () => {
    const { profiles } = profilesOf({
      own: 'title: Own\nmatch: [{sys_object_id: 1.3.6.1.4.1.99999}]',
      any: 'title: Any\nrank: -100\nmatch: [{}]',
    });
    const device = deviceOf(new ProfileLibrary(profiles), SYSTEM);
    await device.ask('inventory');

    device.agent.become('1.3.6.1.2.1.1.1.0|4|Test device');
    device.agent.partial.push({ column: '1.3.6.1.2.1.1.2.0', reason: 'no-answer' });
    const taken = [];
    for (let turn = 0; turn < 3; turn += 1) taken.push((await device.ask('inventory')).identity?.profile);

    expect(taken).toEqual(['own', 'own', 'any']);
  });

  test.each(['12 km', '   12 %', '-3', 'N/A', '1.5'])('a counter that reads %j is refused and named', async (text) => {
    const device = deviceOf(
      libraryOf('areas: {meters: [{readings: [{meter: total, value: 1.3.6.1.4.1.99999.4.2.0}]}]}'),
      `${SYSTEM}1.3.6.1.4.1.99999.4.2.0|4|${text}`,
    );

    const { groups, problems } = await device.ask('inventory');

    expect(groups).toEqual([]);
    expect(problems.map(({ code }) => code)).toEqual(['PROFILE_VALUE_UNUSABLE']);
    expect(problems[0]?.message).toContain('1.3.6.1.4.1.99999.4.2.0');
  });

  test('a counter that is a text of digits counts', async () => {
    const device = deviceOf(
      libraryOf('areas: {meters: [{readings: [{meter: total, value: 1.3.6.1.4.1.99999.4.2.0}]}]}'),
      `${SYSTEM}1.3.6.1.4.1.99999.4.2.0|4|0012345`,
    );

    expect(lines(await device.ask('inventory'))).toEqual(['printer_meter_pages_total{total} 12345']);
  });
});

test('a table that may be empty is asked at every poll, so that what comes is seen', async () => {
  const library = libraryOf(`
tables:
  alert: {entry: 1.3.6.1.2.1.43.18.1.1, columns: {severity: 2, description: 8}}
areas:
  printer_alerts:
    - rows: alert
      may_be_empty: true
      readings:
        - metric: siteward_printer_alert
          value: 1
          labels: {alert: {index: -1}, severity: {column: severity, map: {4: warning}}, description: {column: description}}
`);
  const device = deviceOf(library, SYSTEM);
  const empty = await device.ask('inventory');

  device.agent.become(`${SYSTEM}1.3.6.1.2.1.43.18.1.1.2.1.7|2|4\n1.3.6.1.2.1.43.18.1.1.8.1.7|4|Tray 2 empty`);
  const raised = await device.ask('metrics');

  expect(empty.groups).toEqual([{ name: 'printer_alerts', readings: [] }]);
  expect(lines(raised)).toEqual(['printer_alert{7,warning,Tray 2 empty} 1']);
});

test('what is paced by the inventory is not asked by polls', async () => {
  const library = libraryOf(`
areas:
  licenses:
    pace: inventory
    sources:
      - readings: [{metric: siteward_license_expiry_timestamp_seconds, labels: {license: Support}, value: {oid: 1.3.6.1.4.1.99999.5.0, decode: date_and_time}}]
`);
  const device = deviceOf(library, `${SYSTEM}1.3.6.1.4.1.99999.5.0|4|2027-05-31`);

  const inventory = await device.ask('inventory');
  device.agent.takeAsked();
  const metrics = await device.ask('metrics');

  expect(lines(inventory)).toEqual(['license_expiry_timestamp_seconds{Support} 1811721600']);
  expect(metrics.groups).toEqual([]);
  expect(device.agent.takeAsked()).not.toContain('1.3.6.1.4.1.99999.5.0');
});
