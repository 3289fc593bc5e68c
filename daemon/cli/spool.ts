import { SitewardError } from '#config/errors.ts';
import { loadConfig } from '#config/load.ts';
import { minutes, systemClock } from '../clock.ts';
import { createLogger } from '../log.ts';
import { total } from '../spool/counts.ts';
import { changeQuarantine, listSpool } from '../spool/inspect.ts';
import { storageDirectory } from '../storage.ts';
import { isoTime } from '../web/json.ts';
import { configPath } from './config-path.ts';
import { plain } from './readings-text.ts';
import { EXIT, type RunVerb, textOption } from './verb.ts';

/** A daemon looks for what it is asked every second. */
const PATIENCE = minutes(1);

export const run: RunVerb = async (io, [action = 'list', ...rest], options) => {
  const { config, folder } = loadConfig(configPath(options), io.env);
  const settings = {
    directory: storageDirectory({ config, folder }),
    log: createLogger('error', process.stderr),
    clock: systemClock,
    signal: io.signal,
  };
  const output = textOption(options, 'output');
  if (action === 'retry' || action === 'drop') {
    const ids = rest.map(number);
    const patient = { ...settings, signal: AbortSignal.any([io.signal, systemClock.timeout(PATIENCE)]) };
    const { points } = await changeQuarantine(patient, {
      action,
      ...(ids.length > 0 ? { ids } : {}),
      ...(output === undefined ? {} : { output }),
    });
    io.out(action === 'retry' ? `${points} points are on their way again\n` : `${points} points were thrown away\n`);
    return EXIT.done;
  }
  if (action !== 'list')
    throw new SitewardError(
      'NO_SUCH_ACTION',
      `spool cannot ${JSON.stringify(plain(action))}`,
      'write list, retry or drop',
    );
  const { outputs, quarantine } = await listSpool(settings, output);
  const time = (at: number) => isoTime(at, config.site.timezone);
  if (options.json) {
    const shown = {
      outputs: outputs.map(({ oldestAt, ...output }) => ({
        ...output,
        oldest_at: oldestAt === undefined ? null : time(oldestAt),
      })),
      quarantine: quarantine.map((entry) => ({ ...entry, at: time(entry.at) })),
    };
    io.out(`${JSON.stringify(shown, null, 2)}\n`);
    return EXIT.done;
  }
  for (const { name, pending, bytes, oldestAt, produced, written, quarantined, dropped } of outputs) {
    const oldest = oldestAt === undefined ? '' : `, the oldest of ${time(oldestAt)}`;
    const reasons = Object.entries(dropped).filter(([, points]) => points > 0);
    const why = reasons.map(([reason, points]) => ` (${reason} ${points})`).join('');
    io.out(`${name}: ${pending} points wait (${bytes} bytes)${oldest}\n`);
    io.out(`  of ${produced}: ${written} written, ${quarantined} refused, ${total(dropped)} dropped${why}\n`);
  }
  for (const { id, output: of, at, status, message, points, records } of quarantine) {
    io.out(`#${id} ${of}, ${time(at)}: ${points} points refused with ${status}: ${plain(message)}\n`);
    for (const record of records) io.out(`  ${plain(record)}\n`);
  }
  if (quarantine.length === 0) io.out('nothing was refused\n');
  return EXIT.done;
};

function number(text: string): number {
  const value = Number(text.replace(/^#/, ''));
  if (Number.isInteger(value) && value > 0) return value;
  throw new SitewardError(
    'BAD_NUMBER',
    `${JSON.stringify(plain(text))} is not a number of the quarantine`,
    'write the number that `siteward spool list` shows, such as 7',
  );
}
