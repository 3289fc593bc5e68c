/**
 * A daemon's outgoing half on its own, to be killed: observations with rising numbers go through the real sink, and what
 * `flush` has acknowledged is printed. Every point is a function of its number, so that the judge knows what to expect.
 *
 * arguments: folder, URL, first number, flags (`backup`: copies the store now and then, `ledger`: writes a ledger too,
 * `capped`: the spool may hold little, so that the oldest go all the time)
 */
import { join } from 'node:path';
import type { Milliseconds } from '#collectors/contract.ts';
import { systemClock } from '#daemon/clock.ts';
import { openInfluxSink } from '#daemon/sinks/influx.ts';
import { openSpool } from '#daemon/spool/spool.ts';
import { backupStore } from '#daemon/store/backup.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { influxSettings } from '../support/output-settings.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { ledgerOptions, observationOf, POINTS_PER_ROUND } from './numbered-points.ts';

const [directory = '', url = '', first = '0', ...flags] = process.argv.slice(2);
const CAP = '400kB';
const log = recordingLogger();
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const echo = {
  ...log,
  error: (sentence: string, fields = {}) => say(`error ${sentence} ${JSON.stringify(fields, plain)}`),
};

function plain(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.message : typeof value === 'bigint' ? String(value) : value;
}

try {
  const store = await openStore({ directory, log: echo });
  const spool = await openSpool({ store, directory, freeFloor: 0, log: echo, clock: systemClock });
  const sink = await openInfluxSink({
    settings: influxSettings({
      url,
      timeout: '5s',
      create_database: false,
      ...(flags.includes('capped') ? { max_bytes: CAP } : {}),
    }),
    site: { id: 'acme-hq', client: 'ACME Ltd' },
    spool,
    log: echo,
    clock: systemClock,
  });
  const ledger = flags.includes('ledger') ? (await store.open('ledger', ledgerOptions)).database : undefined;
  say('ready');
  process.on('SIGTERM', () => {
    void (async () => {
      await sink.flush(AbortSignal.timeout(5000));
      await sink.close();
      await spool.close();
      await store.close();
      process.exit(0);
    })();
  });
  for (let number = Number(first); !flags.includes('drain'); number += POINTS_PER_ROUND) {
    sink.accept(observationOf(number));
    await Promise.all([
      sink.flush(AbortSignal.timeout(60_000)).then(() => say(`ack ${number}`)),
      ledger
        ?.write([{ sql: 'INSERT INTO entry (number) VALUES (?)', params: [number] }])
        .then(() => say(`ledger ${number}`)),
    ]);
    if (flags.includes('backup') && number % 500 === 0) {
      await backupStore(directory, join(directory, '..', 'backup.tar.gz'), { log: echo, now: new Date() });
      say(`backup ${number}`);
    }
    await systemClock.sleep(2 as Milliseconds);
  }
  while (true) {
    const { produced, pending, written, dropped } = sink.status();
    say(`status ${JSON.stringify({ produced, pending, written, dropped })}`);
    await systemClock.sleep(100 as Milliseconds);
  }
} catch (thrown) {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : 'unknown';
  say(`failed ${code} ${thrown instanceof Error ? thrown.message : thrown}`);
  process.exit(3);
}
