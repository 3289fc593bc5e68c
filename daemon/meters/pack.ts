/**
 * An evidence pack: both reports in every format, and a ledger with all that they were made from, signed. Whoever gets it
 * can work out every figure anew, without this appliance.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { WallTime } from '#collectors/contract.ts';
import { SitewardError } from '#config/errors.ts';
import type { Config } from '#config/schema.ts';
import type { Span } from '../calendar.ts';
import type { Logger } from '../log.ts';
import type { ReportDocument } from '../reports/document.ts';
import { FILE_ENDINGS, FORMATS, renderReport } from '../reports/render.ts';
import { LEDGER_OPTIONS, type LedgerCheck } from '../store/ledger.ts';
import { openStore } from '../store/sqlite-store.ts';
import type { Database, SqlValue } from '../store/store.ts';
import { TAR_END, tarHeader, tarPadding } from '../store/tar.ts';
import { MeterArchive, type ReadBlock, type WantedReads } from './archive.ts';
import { MeterBooks } from './books.ts';
import { checkPack } from './pack-check.ts';
import { headsOf, PACK_FORMAT, type PackManifest } from './pack-format.ts';
import { type MeterReport, meterReport } from './report.ts';
import { meterDocument } from './report-document.ts';
import type { PackKey } from './signing.ts';
import { allTerms } from './terms.ts';

export interface PackRequest {
  readonly database: Database;
  readonly config: Config;
  readonly period: Span;
  readonly now: WallTime;
  readonly version: string;
  readonly key: PackKey;
  readonly log: Logger;
  /** The availability report of the period. */
  readonly sla: ReportDocument | undefined;
  readonly output: string;
}

/** Parts of the config that figures hang on. No part with a secret is in it. */
export type PackConfig = Pick<Config, 'site' | 'contracts' | 'slas' | 'maintenance' | 'polling'> & {
  readonly devices: readonly Pick<Config['devices'][number], 'name' | 'address' | 'class' | 'sla' | 'parent'>[];
};

type PackFile = { readonly name: string } & ({ readonly bytes: Uint8Array } | { readonly path: string });

/** Closed periods that a report usually hangs on: estimates look eight weeks back, corrections a little further. */
const USUALLY_BACK = 200 * 86_400_000;

/**
 * Writes a pack and checks it as who gets it will. A reader of the file sees all of it or nothing.
 * @throws SitewardError `PACK_FAULTY` when a figure does not follow from the evidence: then there is no pack
 */
export async function writePack(request: PackRequest): Promise<PackManifest> {
  const part = `${request.output}.new`;
  try {
    let faults: LedgerCheck['faults'] = [];
    // What was corrected from long ago needs every closed period.
    for (const back of [USUALLY_BACK, Number.MAX_SAFE_INTEGER]) {
      const manifest = await writeOnce(request, part, back);
      ({ faults } = await checkPack(part, request.log));
      if (faults.length > 0) continue;
      await rename(part, request.output);
      return manifest;
    }
    const [first] = faults;
    throw new SitewardError(
      'PACK_FAULTY',
      `a figure does not follow from the evidence: ${first?.where}: ${first?.message}`,
      'run `siteward verify`: it says which part of the ledger is not what was written',
    );
  } finally {
    await rm(part, { force: true });
  }
}

async function writeOnce(request: PackRequest, part: string, back: number): Promise<PackManifest> {
  const folder = await mkdtemp(join(tmpdir(), 'siteward-pack-'));
  try {
    const { database, config, period, now } = request;
    const archive = new RecordingArchive({ database });
    const report = await meterReport({ archive, config, period, now });
    const books = new MeterBooks(archive, allTerms(config));
    for (const { contract, closed } of report.results) if (closed) await books.rederive(contract);
    const heads = await copyEvidence(request, archive, report, folder, back);
    const files: PackFile[] = [
      ...(await reportFiles('meters', meterDocument(report))),
      ...(request.sla ? await reportFiles('sla', request.sla) : []),
      { name: 'evidence/config.json', bytes: jsonBytes(packConfig(config)) },
      { name: 'evidence/meters.json', bytes: jsonBytes(report) },
      { name: 'evidence/ledger.db', path: join(folder, 'pack.db') },
    ];
    return await bind(request, files, heads, part);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const jsonBytes = (value: unknown): Uint8Array => Buffer.from(`${JSON.stringify(value, null, 1)}\n`);

function packConfig({ site, contracts, slas, maintenance, polling, devices }: Config): PackConfig {
  return {
    site,
    contracts,
    slas,
    maintenance,
    polling,
    devices: devices.map(({ name, address, class: kind, sla, parent }) => ({
      name,
      address,
      class: kind,
      sla,
      parent,
    })),
  };
}

async function reportFiles(name: string, document: ReportDocument): Promise<PackFile[]> {
  return await Promise.all(
    FORMATS.map(async (format) => ({
      name: `reports/${name}.${FILE_ENDINGS[format]}`,
      bytes: await renderReport(document, format),
    })),
  );
}

/** Notes the first read of each device that was asked for: from there on the pack needs them. */
class RecordingArchive extends MeterArchive {
  readonly after = new Map<number, number>();

  override async blocksOf(wanted: readonly WantedReads[]): Promise<ReadBlock[][]> {
    for (const { device, after } of wanted) this.after.set(device, Math.min(this.after.get(device) ?? after, after));
    return await super.blocksOf(wanted);
  }
}

const ROWS_AT_ONCE = 2_000;

/** A ledger of its own with what the report was made from: reads from the first that counts, entries, closed periods. */
async function copyEvidence(
  { database, log }: PackRequest,
  archive: RecordingArchive,
  report: MeterReport,
  folder: string,
  back: number,
): Promise<PackManifest['heads']> {
  const store = await openStore({ directory: folder, log });
  try {
    const { migrations } = LEDGER_OPTIONS;
    const { database: copy } = await store.open('ledger', { migrations, synchronous: 'normal' });
    await copyRows(database, copy, 'meter_entries', '1 = 1', []);
    await copyRows(database, copy, 'meter_devices', '1 = 1', []);
    for (const [device, after] of archive.after) {
      // With the chunk before, whose end is where the chain goes on from.
      const [before] = await database.read(
        'SELECT max(first) AS first FROM meter_chunks WHERE device = ? AND first + count - 1 <= ?',
        [device, after],
      );
      const first = Number(before?.['first'] ?? 0);
      await copyRows(database, copy, 'meter_chunks', 'device = ? AND first >= ?', [device, first]);
      await copyRows(database, copy, 'meter_reads', 'device = ?', [device]);
    }
    for (const { contract } of report.results) {
      const name = contract.contract ?? '';
      const where = 'contract = ? AND ends <= ? AND ends >= ?';
      await copyRows(database, copy, 'meter_periods', where, [name, contract.to, contract.from - back]);
    }
    for (const table of ['availability_entries', 'availability_heartbeat', 'availability_sums'])
      await copyRows(database, copy, table, '1 = 1', []);
    await copy.backup(join(folder, 'pack.db'));
    return await headsOf(copy);
  } finally {
    await store.close();
  }
}

async function copyRows(
  from: Database,
  to: Database,
  table: string,
  where: string,
  params: readonly SqlValue[],
): Promise<void> {
  for (let offset = 0; ; offset += ROWS_AT_ONCE) {
    const rows = await from.read(`SELECT * FROM ${table} WHERE ${where} LIMIT ? OFFSET ?`, [
      ...params,
      ROWS_AT_ONCE,
      offset,
    ]);
    const [first] = rows;
    if (!first) return;
    const columns = Object.keys(first);
    const sql = `INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
    await to.write([{ sql, rows: rows.map((row) => columns.map((column) => row[column] ?? null)) }]);
  }
}

/** Puts the files together, under a manifest with their hashes that is signed. */
async function bind(
  { config, period, now, version, key }: PackRequest,
  files: readonly PackFile[],
  heads: PackManifest['heads'],
  part: string,
): Promise<PackManifest> {
  const listed = await Promise.all(
    files.map(async (file) => {
      const hash = createHash('sha256');
      if ('bytes' in file)
        return { name: file.name, size: file.bytes.length, sha256: hash.update(file.bytes).digest('hex') };
      await pipeline(createReadStream(file.path), hash);
      return { name: file.name, size: (await stat(file.path)).size, sha256: hash.digest('hex') };
    }),
  );
  const manifest: PackManifest = {
    format: PACK_FORMAT,
    siteward: version,
    site: config.site.id,
    client: config.site.client,
    period,
    made: now,
    files: listed,
    heads,
    public_key: key.publicKey,
  };
  const bytes = jsonBytes(manifest);
  const signature = Buffer.from(`${Buffer.from(key.sign(bytes)).toString('base64')}\n`);
  const all: PackFile[] = [{ name: 'manifest.json', bytes }, { name: 'manifest.sig', bytes: signature }, ...files];
  const file = await open(part, 'w');
  try {
    await pipeline(tarOf(all, new Date(now)), createGzip(), file.createWriteStream());
  } finally {
    await file.close().catch(() => undefined);
  }
  return manifest;
}

async function* tarOf(files: readonly PackFile[], modified: Date): AsyncGenerator<Uint8Array> {
  for (const file of files) {
    const bytes = 'bytes' in file ? file.bytes : await readFile(file.path);
    yield tarHeader({ name: file.name, size: bytes.length }, modified);
    yield bytes;
    yield tarPadding(bytes.length);
  }
  yield TAR_END;
}
