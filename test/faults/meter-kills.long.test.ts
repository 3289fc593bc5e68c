import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLogger } from '#daemon/log.ts';
import { MeterArchive } from '#daemon/meters/archive.ts';
import { verifyMeters } from '#daemon/meters/verify.ts';
import { LEDGER_OPTIONS } from '#daemon/store/ledger.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';

const KILLS = 40;

test('after each of 40 kills the ledger holds, and nothing that was acknowledged is missing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'siteward-meter-kills-'));
  const log = createLogger('error');
  const acknowledged = new Map<string, number>();
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      // A number of acknowledged reads, not of milliseconds: each kill falls somewhere else, on any machine.
      await writeUntil(directory, acknowledged, 20 + ((kill * 37) % 101));

      const store = await openStore({ directory, log, readOnly: true });
      const { database } = await store.open('ledger', LEDGER_OPTIONS);
      const { faults, checked } = await verifyMeters(database);
      const heads = await new MeterArchive({ database }).heads();
      await store.close();
      expect(faults).toEqual([]);
      expect(checked['meter_reads']).toBeGreaterThan(0);
      for (const [device, number] of acknowledged) expect(heads[device], device).toBeGreaterThanOrEqual(number);
    }
    console.log(`reads acknowledged over ${KILLS} kills:`, Object.fromEntries(acknowledged));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

/** Starts the writer, and kills it with SIGKILL once it has acknowledged so many reads. */
async function writeUntil(directory: string, acknowledged: Map<string, number>, reads: number): Promise<void> {
  const writer = spawn(process.execPath, [join(import.meta.dirname, 'meter-writer.ts'), directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => writer.once('exit', () => resolve()));
  let seen = 0;
  let rest = '';
  writer.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [device = '', number = ''] = line.split(' ');
      acknowledged.set(device, Math.max(acknowledged.get(device) ?? 0, Number(number)));
      seen += 1;
      if (seen === reads) writer.kill('SIGKILL');
    }
  });
  await ended;
}
