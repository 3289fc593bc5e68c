/** Checks an evidence pack and nothing else: signature, files, chains, and every figure worked out anew. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { SitewardError } from '#config/errors.ts';
import type { Config } from '#config/schema.ts';
import type { Logger } from '../log.ts';
import { FILE_ENDINGS, renderReport } from '../reports/render.ts';
import { LEDGER_OPTIONS, type LedgerCheck, type LedgerFault } from '../store/ledger.ts';
import { openStore } from '../store/sqlite-store.ts';
import type { Database } from '../store/store.ts';
import { tarEntries } from '../store/tar.ts';
import { MeterArchive } from './archive.ts';
import { MeterBooks, type PeriodResult } from './books.ts';
import { differences } from './differences.ts';
import { headsOf, PACK_FORMAT, type PackManifest } from './pack-format.ts';
import type { PeriodRow } from './period-row.ts';
import type { MeterReport } from './report.ts';
import { meterDocument } from './report-document.ts';
import { meterReportJson } from './report-json.ts';
import { fingerprint, isSignedBy } from './signing.ts';
import { allTerms } from './terms.ts';
import { type Progress, verifyMeters } from './verify.ts';

export interface PackCheck extends LedgerCheck {
  readonly manifest: PackManifest;
  readonly fingerprint: string;
}

const MOST_FILES = 64;
const MOST_BYTES = 8_000_000_000;

/** @throws SitewardError `PACK_UNREADABLE` when it is no pack at all. */
export async function checkPack(path: string, log: Logger, progress?: Progress): Promise<PackCheck> {
  const folder = await mkdtemp(join(tmpdir(), 'siteward-verify-'));
  try {
    const names = await unpack(path, folder);
    const manifest = await manifestOf(folder, path);
    const faults: LedgerFault[] = [];
    await checkFiles(folder, names, manifest, faults);
    const ledger = await checkLedger(folder, manifest, faults, log, progress);
    return { ...ledger, faults, manifest, fingerprint: fingerprint(manifest.public_key) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function unpack(path: string, folder: string): Promise<string[]> {
  const names: string[] = [];
  let left = MOST_BYTES;
  try {
    for await (const { name, size, content } of tarEntries(createReadStream(path).pipe(createGunzip()))) {
      left -= size;
      if (names.length >= MOST_FILES || left < 0 || !/^(?:[a-z]+\/)?[a-z0-9-]+\.[a-z]+$/.test(name))
        throw new Error(`${JSON.stringify(name)} is no file of a pack`);
      const target = join(folder, dirname(name), basename(name));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
      names.push(name);
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  return names;
}

async function manifestOf(folder: string, path: string): Promise<PackManifest> {
  try {
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as PackManifest;
    if (manifest.format !== PACK_FORMAT) throw new Error(`its format is ${JSON.stringify(manifest.format)}`);
    return manifest;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): SitewardError {
  const why = error instanceof Error ? error.message : String(error);
  return new SitewardError(
    'PACK_UNREADABLE',
    `${path} is no evidence pack: ${why}`,
    'name a file that `siteward report pack` wrote',
    {
      cause: error,
    },
  );
}

async function checkFiles(
  folder: string,
  names: readonly string[],
  manifest: PackManifest,
  faults: LedgerFault[],
): Promise<void> {
  const fault = (where: string, message: string) => faults.push({ what: 'pack', where, message });
  const bytes = await readFile(join(folder, 'manifest.json'));
  const signature = await readFile(join(folder, 'manifest.sig'), 'utf8').catch(() => '');
  if (!isSignedBy(manifest.public_key, bytes, Buffer.from(signature, 'base64')))
    fault('manifest.json', 'its signature does not fit: it was changed after it was signed');
  for (const { name, sha256 } of manifest.files) {
    const content = names.includes(name) ? await readFile(join(folder, name)) : undefined;
    if (!content) fault(name, 'it is missing');
    else if (createHash('sha256').update(content).digest('hex') !== sha256)
      fault(name, 'it is not the file that was signed');
  }
  const listed = new Set(['manifest.json', 'manifest.sig', ...manifest.files.map(({ name }) => name)]);
  for (const name of names) if (!listed.has(name)) fault(name, 'the manifest does not know it');
}

async function checkLedger(
  folder: string,
  manifest: PackManifest,
  faults: LedgerFault[],
  log: Logger,
  progress: Progress | undefined,
): Promise<LedgerCheck> {
  const store = await openStore({ directory: join(folder, 'evidence'), log, readOnly: true });
  try {
    const { database } = await store.open('ledger', LEDGER_OPTIONS);
    const check = await verifyMeters(database, progress, { part: true });
    faults.push(...check.faults);
    if (JSON.stringify(await headsOf(database)) !== JSON.stringify(manifest.heads))
      faults.push({
        what: 'pack',
        where: 'evidence/ledger.db',
        message: 'its chains end elsewhere than the manifest says',
      });
    const figures = await checkFigures(folder, database, faults);
    return { checked: { ...check.checked, figures }, faults };
  } catch (error) {
    const message = `it cannot be worked with: ${error instanceof Error ? error.message : error}`;
    faults.push({ what: 'pack', where: 'evidence/ledger.db', message });
    return { checked: {}, faults };
  } finally {
    await store.close();
  }
}

/** Every period worked out anew, and every format printed anew; what differs is named by its figure. */
async function checkFigures(folder: string, database: Database, faults: LedgerFault[]): Promise<number> {
  const archive = new MeterArchive({ database });
  const kept = JSON.parse(await readFile(join(folder, 'evidence/meters.json'), 'utf8')) as MeterReport;
  const config = JSON.parse(await readFile(join(folder, 'evidence/config.json'), 'utf8')) as Config;
  const books = new MeterBooks(archive, allTerms(config));
  const results: PeriodResult[] = [];
  for (const { contract, closed, span } of kept.results) {
    const { terms, closedAt, read } = contract;
    const rows = await archive.periodRows(contract.contract, contract.to);
    const sealed = rows.find((row) => row.kind === 'contract');
    if (closed && sealed) {
      const fresh = await books.rederive(sealed);
      results.push(fresh);
      closedDiffer(fresh, rows, faults);
    } else if (span) results.push(await books.span(terms, contract, closedAt, read));
    else results.push(await books.standing(terms, contract, closedAt, read));
  }
  const report: MeterReport = { ...kept, results };
  const expected = JSON.parse(JSON.stringify(meterReportJson(report))) as Record<string, unknown>;
  const found = JSON.parse(await readFile(join(folder, 'reports/meters.json'), 'utf8')) as Record<string, unknown>;
  let figures = 0;
  for (const { path, is, should } of differences(found, expected, () => (figures += 1))) {
    const message = `the pack says ${JSON.stringify(is)}, the evidence gives ${JSON.stringify(should)}`;
    faults.push({ what: 'figure', where: `reports/meters.json ${path}`, message });
  }
  for (const format of ['csv', 'html', 'table'] as const) {
    const name = `reports/meters.${FILE_ENDINGS[format]}`;
    const should = Buffer.from(await renderReport(meterDocument(report), format))
      .toString('utf8')
      .split('\n');
    const is = (await readFile(join(folder, name), 'utf8')).split('\n');
    const line = should.findIndex((text, index) => text !== is[index]);
    if (line < 0 && is.length === should.length) continue;
    const at = line < 0 ? should.length : line;
    const message = `it says ${JSON.stringify(is[at] ?? '')}, the evidence gives ${JSON.stringify(should[at] ?? '')}`;
    faults.push({ what: 'figure', where: `${name} line ${at + 1}`, message: message.slice(0, 600) });
  }
  return figures;
}

/** What was closed is what follows from its reads. */
function closedDiffer({ contract, printers }: PeriodResult, rows: readonly PeriodRow[], faults: LedgerFault[]): void {
  const plain = (row: PeriodRow | undefined) => JSON.parse(JSON.stringify(row ?? null)) as unknown;
  const name = contract.contract ?? 'no contract';
  for (const row of rows) {
    const fresh = row.kind === 'contract' ? contract : printers.find(({ printer }) => printer === row.printer);
    for (const { path, is, should } of differences(plain(row), plain(fresh), () => undefined)) {
      const where = `closed period of ${name} until ${new Date(contract.to).toISOString()}, ${row.kind === 'printer' ? row.printer : 'the bill'}: ${path}`;
      const message = `what was closed says ${JSON.stringify(is)}, its reads give ${JSON.stringify(should)}`;
      faults.push({ what: 'figure', where, message });
    }
  }
}
