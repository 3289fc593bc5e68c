import { SitewardError } from '#config/errors.ts';
import { loadConfig } from '#config/load.ts';
import { parsePeriod } from '../calendar.ts';
import { systemClock } from '../clock.ts';
import { createLogger } from '../log.ts';
import { withAdoptedOf } from '../meters/adopted.ts';
import { writePack } from '../meters/pack.ts';
import { fingerprint, packKey } from '../meters/signing.ts';
import { PERIOD_FORMS, REPORTS } from '../reports/sources.ts';
import { storageDirectory } from '../storage.ts';
import { LEDGER_OPTIONS } from '../store/ledger.ts';
import { openStore } from '../store/sqlite-store.ts';
import { VERSION } from '../version.ts';
import { configPath } from './config-path.ts';
import { EXIT, type RunVerb, textOption } from './verb.ts';

/** Reads the ledger beside a running daemon. */
export const reportPack: RunVerb = async (io, _args, options) => {
  const written = textOption(options, 'period');
  const output = textOption(options, 'output');
  if (written === undefined || output === undefined)
    throw new SitewardError(
      'REPORT_PACK',
      'a pack needs a period and a file',
      `write --period ${PERIOD_FORMS} --output FILE.tar.gz`,
    );
  const loaded = loadConfig(configPath(options), io.env);
  const now = systemClock.wallNow();
  const period = parsePeriod(written, now, loaded.config.site.timezone);
  if (!period)
    throw new SitewardError('REPORT_PERIOD', `${JSON.stringify(written)} is no period`, `write ${PERIOD_FORMS}`);
  const directory = storageDirectory(loaded);
  const log = createLogger('warn', process.stderr);
  const store = await openStore({ directory, log, readOnly: true });
  try {
    const { database } = await store.open('ledger', LEDGER_OPTIONS);
    const config = await withAdoptedOf(database, loaded.config);
    const load = REPORTS['sla'];
    const sla =
      load && Object.keys(config.slas).length > 0
        ? await (await load())(database, written, { config, now })
        : undefined;
    const key = packKey(directory);
    const manifest = await writePack({ database, config, period, now, version: VERSION, key, log, sla, output });
    io.out(`${output}: ${manifest.files.length} files, signed with ${fingerprint(manifest.public_key)}\n`);
    return EXIT.done;
  } finally {
    await store.close();
  }
};
