import { expect, onTestFinished, test } from 'vitest';
import type { Milliseconds, WallTime } from '#collectors/contract.ts';
import type { Sighting } from '#collectors/discovery/scan.ts';
import { configOf } from '#config/load.ts';
import { SiteInventory } from '#daemon/inventory/site-inventory.ts';
import { withAdopted } from '#daemon/meters/adopted.ts';
import { writePack } from '#daemon/meters/pack.ts';
import { checkPack } from '#daemon/meters/pack-check.ts';
import { readMeterReport } from '#daemon/meters/reading.ts';
import { packKey } from '#daemon/meters/signing.ts';
import { allTerms, contractOf } from '#daemon/meters/terms.ts';
import { setClock } from '../../support/availability.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { DAY, openSite } from './site.ts';

const MARCH = Date.UTC(2026, 2, 1) as WallTime;
const APRIL = Date.UTC(2026, 3, 1) as WallTime;

const { config } = configOf(
  {
    site: { id: 's', client: 'ACME', timezone: 'UTC' },
    credentials: { office: { version: '2c', community: 'public' } },
    discovery: {
      ranges: [{ range: '192.0.2.0/24', credentials: ['office'], adopt: 'rules' }],
      rules: [{ class: 'printer', vendor: 'Ricoh', as: 'prn-{serial}', contract: 'ricoh-print' }, { class: 'printer' }],
    },
    contracts: {
      'all-print': { devices: ['prn-*'], meters: { total: { price: '0.50' } } },
      'ricoh-print': { devices: ['ricoh-*'], meters: { total: { price: '0.01' } } },
    },
  },
  '.',
);

const sighting = (address: string, vendor: string, serial: string): Sighting => ({
  address: address as Sighting['address'],
  at: MARCH,
  echo: true,
  agent: 'answered',
  snmpPort: 161,
  identity: { class: 'printer', profile: 'x', vendor, model: 'IM C3000', serial, sysName: `prn-${serial}`, macs: [] },
  credential: { name: 'office', version: '2c' },
  names: [],
  ports: [],
});

test('a printer that a rule adopts with a contract is on the bill of that contract, and in its pack', async () => {
  const site = await openSite();
  onTestFinished(() => site.remove());
  const clock = setClock(MARCH);
  const inventory = await SiteInventory.open({
    clock,
    log: recordingLogger(),
    database: () => site.database,
    config: () => config,
    onDevices: () => undefined,
  });
  inventory.ingest([sighting('192.0.2.20', 'Ricoh', 'W3148'), sighting('192.0.2.21', 'Sharp', 'S9987')], () => true);
  await inventory.saved();
  const names = inventory.adopted().map(({ name }) => name);
  const [ricoh = '', sharp = ''] = names;
  for (let day = 0; day <= 31; day += 1) {
    const at = (MARCH + day * DAY) as WallTime;
    await site.read({ device: ricoh, serial: 'W3148', vendor: 'Ricoh' }, at, { total: 1000 + day * 10 });
    await site.read({ device: sharp, serial: 'S9987', vendor: 'Sharp' }, at, { total: 500 + day });
  }

  const terms = allTerms(withAdopted(config, inventory.records()));
  const now = (APRIL + 2 * DAY) as WallTime;
  await site.close(terms, now);
  const report = await readMeterReport(site.database, '2026-03', { config, now });

  expect(names).toEqual(['prn-W3148', 'prn-S9987']);
  const bills = report?.results.map(({ contract, printers, closed }) => [
    contract.contract,
    contract.total,
    closed,
    printers.map(({ device }) => device),
  ]);
  expect(bills).toEqual([
    ['all-print', '15.50', true, [sharp]],
    ['ricoh-print', '3.10', true, [ricoh]],
  ]);
  expect(report?.noContract).toEqual([]);
  const output = `${site.directory}/march.tar.gz`;
  await writePack({
    database: site.database,
    config: withAdopted(config, inventory.records()),
    period: { from: MARCH, to: APRIL },
    now,
    version: '0',
    key: packKey(site.directory),
    log: recordingLogger(),
    sla: undefined,
    output,
  });
  expect((await checkPack(output, recordingLogger())).faults).toEqual([]);
});

test('a contract that names a printer in full comes before one with a pattern for it', () => {
  const terms = allTerms({
    ...config,
    contracts: {
      wide: { ...config.contracts['all-print'], devices: ['*'] },
      own: { ...config.contracts['all-print'], devices: ['prn-1'], tolerance: 0 as Milliseconds },
    },
  } as typeof config);

  expect(contractOf(terms, 'prn-1')).toBe('own');
  expect(contractOf(terms, 'prn-2')).toBe('wide');
});
