import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { configOf } from '#config/load.ts';
import { systemClock } from '#daemon/clock.ts';
import { startDaemon } from '#daemon/daemon.ts';
import { createLogger } from '#daemon/log.ts';
import { MeterArchive } from '#daemon/meters/archive.ts';
import { rawText } from '#daemon/meters/read.ts';
import { verifyMeters } from '#daemon/meters/verify.ts';
import { LEDGER_OPTIONS } from '#daemon/store/ledger.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { fleetIsThere, recordedDevices, startFleet } from '../support/fleet.ts';

const PORT = 21_961;
/** Counter32, as recordings write it. */
const COUNTER = '65';
const PRINTED = 37;

interface PrinterTruth {
  readonly name: string;
  readonly printer?: { readonly total?: number | null; readonly sources?: Readonly<Record<string, string | null>> };
}

interface MeterAnswer {
  readonly contracts: readonly {
    readonly devices: readonly {
      readonly device: string;
      readonly meters: {
        readonly total?: { readonly opening: number; readonly closing: number; readonly used: number };
      };
    }[];
  }[];
}

describe.skipIf(!fleetIsThere())('the daemon over recorded printers', () => {
  test('closing totals are those of the farm, printer by printer, while counters grow', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'siteward-farm-'));
    try {
      const printers = recordedDevices().filter(({ category }) => category === 'printer');
      const truths = new Map(printers.map(({ name }) => [name, truthOf(name)]));
      const known = [...truths].filter(([, truth]) => truth.printer?.total != null);
      const addresses = new Map(printers.map(({ name }, index) => [name, `127.77.1.${index + 1}`]));

      const served = printers.map(({ name, path }) => [path, addresses.get(name) ?? ''] as const);
      const first = await readAll(folder, addresses, served);
      const grown = printers.map(
        ({ name, path }) => [grownCopy(folder, name, path), addresses.get(name) ?? ''] as const,
      );
      const second = await readAll(folder, addresses, grown);
      const compared = await equalToFarm(folder, second);
      const growing = await readAll(folder, addresses, grown, ['-s']);

      // A plotter's sheets are no pages for a bill: what is read has to be right.
      const right = known.filter(([name]) => first.has(name));
      expect(right.length).toBeGreaterThan(4);
      for (const [name, { printer }] of right) expect(first.get(name)?.closing, name).toBe(printer?.total);
      expect(compared).toBeGreaterThan(4);
      for (const [name, { closing, used }] of second) {
        expect(used, name).toBe(closing - (first.get(name)?.closing ?? 0));
        expect(growing.get(name)?.closing ?? 0, name).toBeGreaterThanOrEqual(closing);
      }
      expect(await faultsIn(folder)).toEqual([]);
      console.log(
        `closing totals equal to the farm's: ${compared} of ${second.size} printers with meters; ${right.length} equal to the truth`,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** Starts farm and daemon, waits until the daemon has asked everyone, and asks it for the meters of the month. */
async function readAll(
  folder: string,
  addresses: ReadonlyMap<string, string>,
  served: readonly (readonly [path: string, address: string])[],
  options: readonly string[] = [],
) {
  await using _fleet = await startFleet(PORT, served, { options });
  const loaded = configOf(
    {
      site: { id: 'farm', client: 'Farm', timezone: 'UTC' },
      storage: { directory: join(folder, 'store') },
      http: { listen: '127.0.0.1:0' },
      credentials: { office: { version: '2c', community: 'public' } },
      devices: [...addresses].map(([name, address]) => ({
        name,
        address,
        port: PORT,
        credentials: ['office'],
        checks: ['snmp'],
      })),
      contracts: { all: { devices: ['*'], meters: { total: {} } } },
    },
    folder,
  );
  const started = Date.now();
  const daemon = await startDaemon({ loaded, clock: systemClock, log: createLogger('error'), demo: false });
  try {
    for (;;) {
      const metrics = await (await fetch(`${daemon.url}/metrics`)).text();
      const times = [
        ...metrics.matchAll(/^siteward_printer_meter_last_read_timestamp_seconds\{device="([^"]+)"\} (\S+)/gm),
      ];
      const read = times.filter(([, , at]) => Number(at) * 1000 >= started).map(([, device]) => device);
      const all = [...metrics.matchAll(/^siteward_printer_meter_pages_total\{device="([^"]+)"/gm)].map(
        ([, device]) => device,
      );
      if (all.length > 0 && new Set(all).size === new Set(read).size && Date.now() - started > 12_000) break;
      if (Date.now() - started > 120_000) throw new Error('the daemon has not read every printer');
      await wait(500);
    }
    const answer = (await (await fetch(`${daemon.url}/api/v1/meters`)).json()) as MeterAnswer;
    return new Map(
      answer.contracts.flatMap(({ devices }) =>
        devices.flatMap(({ device, meters }) => (meters.total ? [[device, meters.total] as const] : [])),
      ),
    );
  } finally {
    await daemon.stop();
  }
}

function truthOf(name: string): PrinterTruth {
  const folder = resolve(import.meta.dirname, '../../../shared/devices/truth');
  const file = readdirSync(folder).find((each) => each === `${name}.json`);
  return file ? (JSON.parse(readFileSync(join(folder, file), 'utf8')) as PrinterTruth) : { name };
}

/** The recording with every Counter32 so many higher: what an hour of printing leaves. */
function grownCopy(folder: string, name: string, path: string): string {
  const lines = readFileSync(path, 'latin1').split('\n');
  const grown = lines.map((line) => {
    const [oid = '', type = '', value = ''] = line.split('|');
    return type === COUNTER && /^\d+$/.test(value) ? `${oid}|${type}|${Number(value) + PRINTED}` : line;
  });
  const copy = join(folder, `${name}.snmprec`);
  writeFileSync(copy, grown.join('\n'), 'latin1');
  return copy;
}

/** Every number that a closing total is made of is the one that the farm serves at that object. */
async function equalToFarm(folder: string, totals: ReadonlyMap<string, { readonly closing: number }>): Promise<number> {
  const store = await openStore({ directory: join(folder, 'store'), log: createLogger('error'), readOnly: true });
  let compared = 0;
  try {
    const { database } = await store.open('ledger', LEDGER_OPTIONS);
    const archive = new MeterArchive({ database });
    const sources = await archive.sources();
    for (const [name, { closing }] of totals) {
      const read = (await archive.lastReads(name)).findLast(({ step }) => step === 'ok');
      const source = sources.get(read?.source ?? 0);
      const oids = source?.meters.find(({ meter }) => meter === 'total')?.oid.split('+') ?? [];
      const values = new Map(
        readFileSync(join(folder, `${name}.snmprec`), 'latin1')
          .split('\n')
          .map((line) => line.split('|'))
          .map(([oid = '', , value = '']) => [oid, value] as const),
      );
      const parts = oids.map((oid) => values.get(oid) ?? '');
      if (!read || !source || !parts.every((part) => /^\d+$/.test(part))) continue;
      expect(rawText(read, source, 'total'), name).toBe(parts.join('+'));
      if (parts.length === 1) expect(closing, name).toBe(Number(parts[0]));
      compared += 1;
    }
    return compared;
  } finally {
    await store.close();
  }
}

async function faultsIn(folder: string) {
  const store = await openStore({ directory: join(folder, 'store'), log: createLogger('error'), readOnly: true });
  try {
    const { database } = await store.open('ledger', LEDGER_OPTIONS);
    return (await verifyMeters(database)).faults;
  } finally {
    await store.close();
  }
}
