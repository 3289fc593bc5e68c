import { rename, writeFile } from 'node:fs/promises';
import { SitewardError } from '#config/errors.ts';
import { loadConfig } from '#config/load.ts';
import { systemClock } from '../clock.ts';
import { createLogger } from '../log.ts';
import type { ReportDocument } from '../reports/document.ts';
import { FORMATS, type Format, renderReport } from '../reports/render.ts';
import { DEFAULT_PERIODS, PERIOD_FORMS, REPORTS } from '../reports/sources.ts';
import { storageDirectory } from '../storage.ts';
import { LEDGER_OPTIONS } from '../store/ledger.ts';
import { openStore } from '../store/sqlite-store.ts';
import { configPath } from './config-path.ts';
import { EXIT, type Options, type RunVerb, textOption } from './verb.ts';

/** Reads the ledger beside a running daemon: it takes no lock and changes nothing. */
export const run: RunVerb = async (io, [kind = ''], options) => {
  if (kind === 'pack') return await (await import('./report-pack.ts')).reportPack(io, [], options);
  const load = Object.hasOwn(REPORTS, kind) ? REPORTS[kind] : undefined;
  if (!load)
    throw new SitewardError(
      'REPORT_UNKNOWN',
      `there is no report ${JSON.stringify(kind)}`,
      `write one of ${Object.keys(REPORTS).join(', ')}`,
    );
  const period = textOption(options, 'period') ?? DEFAULT_PERIODS[kind];
  if (period === undefined)
    throw new SitewardError('REPORT_PERIOD', 'which period is not said', `write --period ${PERIOD_FORMS}`);
  const format = formatOf(options);
  const loaded = loadConfig(configPath(options), io.env);
  const store = await openStore({
    directory: storageDirectory(loaded),
    log: createLogger('warn', process.stderr),
    readOnly: true,
  });
  let document: ReportDocument | undefined;
  try {
    const { database } = await store.open('ledger', LEDGER_OPTIONS);
    document = await (await load())(database, period, { config: loaded.config, now: systemClock.wallNow() });
  } finally {
    await store.close();
  }
  if (!document)
    throw new SitewardError('REPORT_PERIOD', `${JSON.stringify(period)} is no period`, `write ${PERIOD_FORMS}`);
  const layout = textOption(options, 'layout');
  const bytes = layout === undefined ? await renderReport(document, format) : await inLayout(document, layout);
  const output = textOption(options, 'output');
  if (output === undefined) process.stdout.write(bytes);
  else await replaceFile(output, bytes);
  return EXIT.done;
};

async function inLayout(document: ReportDocument, name: string): Promise<Uint8Array> {
  const { LAYOUTS } = await import('../meters/layouts.ts');
  const layout = Object.hasOwn(LAYOUTS, name) ? LAYOUTS[name] : undefined;
  if (layout) return Buffer.from(layout.render(document));
  throw new SitewardError(
    'REPORT_LAYOUT',
    `${JSON.stringify(name)} is no layout`,
    `write one of ${Object.keys(LAYOUTS).join(', ')} for report meters, or leave --layout out`,
  );
}

function formatOf(options: Options): Format {
  const written = textOption(options, 'format') ?? 'table';
  const format = FORMATS.find((known) => known === written);
  if (format) return format;
  throw new SitewardError(
    'REPORT_FORMAT',
    `${JSON.stringify(written)} is no format`,
    `write one of ${FORMATS.join(', ')}`,
  );
}

/** A reader of the file sees the old report or the new one, never half of it. */
async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(`${path}.new`, bytes);
    await rename(`${path}.new`, path);
  } catch (error) {
    throw new SitewardError(
      'REPORT_OUTPUT',
      `${path} cannot be written: ${error instanceof Error ? error.message : error}`,
      'write --output with a path in a folder that you may write',
      { cause: error },
    );
  }
}
