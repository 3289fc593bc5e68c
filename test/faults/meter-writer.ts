/** Writes meter reads as fast as it can and says on stdout which are on disk. Started and killed by the tests beside it. */
import { writeSync } from 'node:fs';
import type { WallTime } from '#collectors/contract.ts';
import { configOf } from '#config/load.ts';
import { createLogger } from '#daemon/log.ts';
import { closeDue } from '#daemon/meters/closing.ts';
import { MeterLedger } from '#daemon/meters/ledger.ts';
import { allTerms } from '#daemon/meters/terms.ts';
import { LEDGER_OPTIONS } from '#daemon/store/ledger.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';

const [directory = ''] = process.argv.slice(2);
const { config } = configOf(
  {
    site: { id: 'kill', client: 'Kill', timezone: 'UTC' },
    contracts: { all: { devices: ['*'], meters: { total: {} } } },
  },
  '/',
);
const log = createLogger('error');
const store = await openStore({ directory, log });
const { database } = await store.open('ledger', LEDGER_OPTIONS);
const ledger = await MeterLedger.open({ database });
const heads = await ledger.heads();
const DEVICES = ['copier-1', 'copier-2', 'copier-3', 'copier-4'];
const START = Date.UTC(2026, 0, 1);

for (let round = Math.min(...DEVICES.map((device) => heads[device] ?? 0)) + 1; ; round += 1) {
  const at = (START + round * 3_600_000) as WallTime;
  await Promise.all(
    DEVICES.map(async (device) => {
      if ((heads[device] ?? 0) >= round) return;
      const meters = [{ meter: 'total' as const, oid: '1.3.6.1.2.1.43.10.2.1.4.1.1', unit: 'impressions', parts: 1 }];
      const source = await ledger.sourceNumber(
        { device, printer: `Acme:${device}`, serial: device, profile: 'acme', profileVersion: '0', meters },
        at,
      );
      const read = await ledger.append(device, {
        at,
        clockTrusted: true,
        step: 'ok',
        source,
        slots: [1_000 + 7 * round],
      });
      heads[device] = read.number;
      writeSync(1, `${device} ${read.number}\n`);
    }),
  );
  if (round % 100 === 0) await closeDue(ledger, allTerms(config), at);
}
