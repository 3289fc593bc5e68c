import { describe, expect, test } from 'vitest';
import { amounts } from '#collectors/snmp/profile/amounts.ts';
import { deviceOf, libraryOf, lines } from './support.ts';

async function read(profile: string, recording: string): Promise<readonly string[]> {
  return lines(await deviceOf(libraryOf(profile), recording).ask('inventory'));
}

describe('amounts', () => {
  test('any two of size, used, free and share give the rest', () => {
    expect(amounts({ size: 1000, used: 250 })).toEqual({ size: 1000, used: 250, ratio: 0.25 });
    expect(amounts({ size: 1000, free: 250 })).toEqual({ size: 1000, used: 750, ratio: 0.75 });
    expect(amounts({ used: 250, free: 750 })).toEqual({ size: 1000, used: 250, ratio: 0.25 });
    expect(amounts({ size: 1000, ratio: 0.3 })).toEqual({ size: 1000, used: 300, ratio: 0.3 });
    expect(amounts({ ratio: 0.3 })).toEqual({ ratio: 0.3 });
  });

  test('values read at different moments may give a little less than nothing, which is nothing', () => {
    expect(amounts({ size: 1000, free: 1010 })).toEqual({ size: 1000, used: 0, ratio: 0 });
  });

  test('what does not fit together is absent', () => {
    expect(amounts({ size: 1000, used: 1200 })).toEqual({});
    expect(amounts({ size: 1000, free: 2000 })).toEqual({});
    expect(amounts({ size: 0, used: 0 })).toEqual({});
    expect(amounts({ size: -5, used: 1 })).toEqual({});
    expect(amounts({ ratio: 1.4 })).toEqual({ ratio: undefined });
  });
});

describe('kinds of reading', () => {
  test('a ratio outside 0 to 1, a negative size and a mad temperature are absent and named', async () => {
    const library = libraryOf(`
areas:
  cpu: [{readings: [{metric: siteward_cpu_usage_ratio, labels: {cpu: all}, value: {oid: 1.3.8.1.0, scale: 0.01}}]}]
  sensors: [{readings: [{metric: siteward_sensor_temperature_celsius, labels: {sensor: CPU}, value: 1.3.8.2.0}]}]
`);

    const { groups, problems } = await deviceOf(library, '1.3.8.1.0|2|130\n1.3.8.2.0|2|-866597556').ask('inventory');

    expect(groups).toEqual([]);
    expect(problems).toHaveLength(2);
  });

  test('a state set has one series per state; a state that is not in it gives none', async () => {
    const profile = `
areas:
  printer_status: [{readings: [{states: siteward_printer_status, label: status, of: [idle, printing, other], value: {oid: 1.3.8.1.0, map: {3: idle, 9: melted}}}]}]
`;

    expect(await read(profile, '1.3.8.1.0|2|3')).toEqual([
      'printer_status{idle} 1',
      'printer_status{printing} 0',
      'printer_status{other} 0',
    ]);
    expect(await read(profile, '1.3.8.1.0|2|9')).toEqual([]);
  });

  test('flags are the raised ones', async () => {
    const profile = `
areas:
  printer_errors: [{readings: [{flags: siteward_printer_error, label: error, value: {oid: 1.3.8.1.0, decode: bits, bits: {0: low_paper, 5: jammed}}}]}]
`;

    expect(await read(profile, '1.3.8.1.0|4x|84')).toEqual(['printer_error{low_paper} 1', 'printer_error{jammed} 1']);
    expect(await read(profile, '1.3.8.1.0|4x|00')).toEqual([]);
  });

  test('a supply without a level has a name and a state all the same', async () => {
    const profile = `
tables: {s: {entry: 1.3.6.1.2.1.43.11.1.1, columns: {type: 5, description: 6, max: 8, level: 9}}}
areas:
  supplies: [{rows: s, readings: [{supply: {index: -1}, description: {column: description}, type: {column: type}, max: {column: max}, level: {column: level}}]}]
`;
    const rows = `
1.3.6.1.2.1.43.11.1.1.5.1.1|2|3
1.3.6.1.2.1.43.11.1.1.6.1.1|4|Black Toner
1.3.6.1.2.1.43.11.1.1.8.1.1|2|-2
1.3.6.1.2.1.43.11.1.1.9.1.1|2|-3`;

    expect(await read(profile, rows)).toEqual([
      'printer_supply_info{1,Black Toner,toner,black} 1',
      'printer_supply_state{1,ok} 1',
      'printer_supply_state{1,low} 0',
      'printer_supply_state{1,empty} 0',
      'printer_supply_state{1,unknown} 0',
    ]);
  });

  test('a waste bottle that reports what is in it is shown as room left', async () => {
    const profile = `
areas:
  supplies: [{readings: [{supply: waste, description: Waste, type: waste_toner, max: 100, level: 1.3.8.1.0, inverted: true}]}]
`;

    expect(await read(profile, '1.3.8.1.0|2|95')).toContain(
      'printer_supply_level_ratio{waste,Waste,waste_toner,} 0.05',
    );
    expect(await read(profile, '1.3.8.1.0|2|95')).toContain('printer_supply_state{waste,low} 1');
  });

  test('a tray that only knows that something is in it has no ratio', async () => {
    const profile = `
areas:
  trays: [{readings: [{tray: Tray 1, level: 1.3.8.1.0, max: 500}, {tray: Tray 2, level: 1.3.8.2.0, max: 500}]}]
`;

    expect(await read(profile, '1.3.8.1.0|2|250\n1.3.8.2.0|2|-3')).toEqual(['printer_input_level_ratio{Tray 1} 0.5']);
  });

  test('counters keep every digit', async () => {
    const profile = `
tables: {i: {entry: 1.3.9.1, columns: {octets: 1}}}
areas:
  interfaces: [{rows: i, readings: [{metric: siteward_interface_receive_bytes_total, labels: {interface: {index: all}}, value: {column: octets}}]}]
`;

    expect(await read(profile, '1.3.9.1.1.7|70|18446744073709551615')).toEqual([
      'interface_receive_bytes_total{7} 18446744073709551615',
    ]);
  });

  test('names from the wire are cleaned and cut', async () => {
    const profile = `
tables: {i: {entry: 1.3.9.1, columns: {name: 1, up: 2}}}
areas:
  interfaces: [{rows: i, readings: [{metric: siteward_interface_up, labels: {interface: {column: name}}, value: {column: up}}]}]
`;
    const recording = `1.3.9.1.1.7|4x|${Buffer.from(`a\nb"\\\u0000${'x'.repeat(500)}`).toString('hex')}\n1.3.9.1.2.7|2|1`;

    const [line] = await read(profile, recording);

    expect(line).toBe(`interface_up{a b"\\ ${'x'.repeat(194)}} 1`);
  });
});
