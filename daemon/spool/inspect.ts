/** What `siteward spool` does, beside a running daemon or without one. */
import type { Clock, WallTime } from '#collectors/contract.ts';
import type { Logger } from '#daemon/log.ts';
import { StoreError } from '#daemon/store/errors.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import type { Row } from '#daemon/store/store.ts';
import { type Dropped, Tallies } from './counts.ts';
import { type QuarantineEntry, quarantineEntries } from './quarantine.ts';
import { askDaemon, type QuarantineRequest, type QuarantineResult } from './requests.ts';
import { openSpool, SPOOL_NAME, SPOOL_OPTIONS } from './spool.ts';
import { tallyOfRow } from './statements.ts';
import { type SpoolVerification, verifySpool } from './verify.ts';

export interface InspectSettings {
  /** `storage.directory` of the config. */
  readonly directory: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface SpoolSummary {
  readonly outputs: readonly {
    readonly name: string;
    readonly format: string;
    readonly pending: number;
    readonly bytes: number;
    readonly oldestAt: WallTime | undefined;
    /** produced = written + pending + quarantined + dropped. */
    readonly produced: number;
    readonly written: number;
    readonly quarantined: number;
    readonly dropped: Dropped;
  }[];
  readonly quarantine: readonly QuarantineEntry[];
}

/** `spool list`: what waits, and what receivers have refused, with their words. Reads only. */
export async function listSpool(settings: InspectSettings, output?: string): Promise<SpoolSummary> {
  const store = await openStore({ ...settings, readOnly: true });
  try {
    const { database } = await store.open(SPOOL_NAME, SPOOL_OPTIONS);
    // One statement sees one instant: the daemon goes on meanwhile.
    const rows = await database.read(
      `SELECT name, format, coalesce(sum(points), 0) AS points, coalesce(sum(bytes), 0) AS bytes, min(first_at) AS oldest,
          (SELECT coalesce(sum(points), 0) FROM quarantine WHERE quarantine.output = output.id) AS quarantined,
          (SELECT json_group_array(json_object('outcome', outcome, 'reason', reason, 'points', points))
            FROM tally WHERE tally.output = output.id) AS tally
        FROM output LEFT JOIN batch ON batch.output = output.id
        WHERE ?1 IS NULL OR name = ?1 GROUP BY output.id ORDER BY name`,
      [output ?? null],
    );
    const outputs = rows.map((row) => {
      const tallies = new Tallies();
      for (const tally of JSON.parse(String(row['tally'])) as Row[]) tallies.add(tallyOfRow(tally));
      return {
        name: String(row['name']),
        format: String(row['format']),
        pending: Number(row['points']),
        bytes: Number(row['bytes']),
        oldestAt: row['oldest'] === null ? undefined : (Number(row['oldest']) as WallTime),
        produced: tallies.of('produced'),
        written: tallies.of('written'),
        quarantined: Number(row['quarantined']),
        dropped: tallies.dropped(),
      };
    });
    return { outputs, quarantine: await quarantineEntries(database, output) };
  } finally {
    await store.close();
  }
}

/** `spool retry` and `spool drop`: by the daemon where one runs, else here. */
export async function changeQuarantine(
  settings: InspectSettings,
  request: QuarantineRequest,
): Promise<QuarantineResult> {
  const { directory, log, clock } = settings;
  try {
    const store = await openStore({ directory, log });
    try {
      const spool = await openSpool({ store, directory, freeFloor: 0, log, clock });
      const result = await spool.changeQuarantine(request);
      await spool.close();
      return result;
    } finally {
      await store.close();
    }
  } catch (thrown) {
    if (!(thrown instanceof StoreError) || thrown.code !== 'STORE_LOCKED') throw thrown;
    return await askDaemon(directory, request, settings);
  }
}

/** The spool's part of `siteward verify`. */
export async function verifySpoolFolder(settings: Omit<InspectSettings, 'clock'>): Promise<SpoolVerification> {
  const store = await openStore({ ...settings, readOnly: true });
  try {
    const { database } = await store.open(SPOOL_NAME, SPOOL_OPTIONS);
    return await verifySpool(database);
  } finally {
    await store.close();
  }
}
