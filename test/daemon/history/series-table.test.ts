import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Labels } from '#collectors/contract.ts';
import { labelText, NONE, SeriesTable } from '#daemon/history/series-table.ts';

const DEVICES = ['sw-1', 'sw-2'];
const METRICS = ['siteward_cpu_usage_ratio', 'siteward_poe_power_watts', 'siteward_ap_clients'] as const;
/** As collectors keep them: some of equal content from different tables, some shared between devices. */
const LABELS: readonly Labels[] = [
  {},
  { interface: 'lan' },
  { interface: 'wan' },
  { interface: 'lan' },
  { supply: '1', color: 'black' },
  { color: 'black', supply: '1' },
];

test('series are told apart by device, metric and content of the labels, through any adding and removing', () => {
  const operation = fc.record({
    device: fc.constantFrom(...DEVICES),
    metric: fc.constantFrom(...METRICS),
    labels: fc.constantFrom(...LABELS),
    kind: fc.constantFrom('add', 'add', 'remove', 'find', 'find anew'),
  });
  fc.assert(
    fc.property(fc.array(operation, { size: '+2' }), (operations) => {
      const table = new SeriesTable();
      const ids = new Map<string, number>();
      let lastId = 0;
      for (const { device, metric, labels, kind } of operations) {
        const text = labelText(labels);
        const key = JSON.stringify([device, metric, text]);
        if (kind === 'add' && !ids.has(key)) {
          lastId += 1;
          ids.set(key, lastId);
          expect(table.id(table.add(device, metric, text, lastId))).toBe(lastId);
        } else if (kind === 'remove') {
          ids.delete(key);
          table.remove(device, metric, text);
        }
        const slot = table.find(device, metric, kind === 'find anew' ? { ...labels } : labels);

        expect(table.findByText(device, metric, text)).toBe(slot);
        expect(slot === NONE ? undefined : table.id(slot)).toBe(ids.get(key));
      }

      const slots = [...table.slots()];
      expect(table.size).toBe(ids.size);
      expect(slots.map((slot) => table.id(slot)).toSorted((a, b) => a - b)).toEqual([...ids.values()]);
      expect(Math.max(0, ...slots)).toBeLessThanOrEqual(DEVICES.length * METRICS.length * 4);
      for (const device of DEVICES) {
        const named = table.of(device).map(({ slot, metric, labels }) => [table.id(slot), metric, labelText(labels)]);
        const expected = [...ids].map(([key, id]) => [JSON.parse(key), id] as const);
        expect(named).toEqual(
          expected.flatMap(([[of, metric, text], id]) => (of === device ? [[id, metric, text]] : [])),
        );
      }
    }),
  );
});

test('the slot of a series that went is not found by the labels that it had', () => {
  const table = new SeriesTable();
  const labels = { cpu: '0' };
  table.add('srv', 'siteward_cpu_usage_ratio', labelText(labels), 1);
  table.add('srv', 'siteward_ap_clients', labelText(labels), 2);
  const first = table.find('srv', 'siteward_cpu_usage_ratio', labels);

  table.remove('srv', 'siteward_cpu_usage_ratio', labelText(labels));
  const reused = table.add('srv', 'siteward_cpu_usage_ratio', labelText({ cpu: '1' }), 3);

  expect(reused).toBe(first);
  expect(table.find('srv', 'siteward_cpu_usage_ratio', labels)).toBe(NONE);
  expect(table.id(table.find('srv', 'siteward_ap_clients', labels))).toBe(2);
});
