import { expect, test } from 'vitest';
import type { Reading } from '#collectors/contract.ts';
import { plain, readingsText } from '#daemon/cli/readings-text.ts';

test('readings are shown by topic, one row per thing, in units that people use', () => {
  const readings: Reading[] = [
    { metric: 'siteward_device_uptime_seconds', labels: {}, value: 93_784 },
    { metric: 'siteward_memory_size_bytes', labels: { memory: 'RAM' }, value: 8_589_934_592 },
    { metric: 'siteward_memory_used_ratio', labels: { memory: 'RAM' }, value: 0.25 },
    { metric: 'siteward_interface_speed_bytes_per_second', labels: { interface: 'wan' }, value: 125_000_000 },
    { metric: 'siteward_interface_receive_packets_total', labels: { interface: 'wan' }, value: 1_234_567n },
  ];

  expect(readingsText(readings)).toBe(`device
  uptime 1 d 2 h

memory
  RAM  size 8.0 GiB, used 25 %

interface
  wan  speed 1.0 Gbit/s, receive packets 1,234,567
`);
});

test('a state set is shown as the state that holds', () => {
  const readings: Reading[] = ['idle', 'printing'].map((status) => ({
    metric: 'siteward_printer_status',
    labels: { status },
    value: status === 'printing' ? 1 : 0,
  }));

  expect(readingsText(readings)).toBe('printer status\n  printing\n');
});

test('all that is known of a supply stands in one row', () => {
  const labels = { supply: '1', description: 'Black Toner', type: 'toner', color: 'black' };
  const readings: Reading[] = [
    { metric: 'siteward_printer_supply_info', labels, value: 1 },
    { metric: 'siteward_printer_supply_level_ratio', labels, value: 0.4 },
    { metric: 'siteward_printer_supply_state', labels: { supply: '1', state: 'ok' }, value: 1 },
    { metric: 'siteward_printer_supply_state', labels: { supply: '1', state: 'low' }, value: 0 },
  ];

  expect(readingsText(readings)).toBe('printer supply\n  1 · Black Toner  level 40 %, ok\n');
});

test('what a device calls itself cannot write to the terminal', () => {
  expect(plain('a\u001b[31mred\u202Eb\nc')).toBe('a\uFFFD[31mred\uFFFDb\uFFFDc');
});
