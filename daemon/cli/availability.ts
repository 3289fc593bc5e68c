import { userInfo } from 'node:os';
import { SitewardError } from '#config/errors.ts';
import { loadConfig } from '#config/load.ts';
import { type Entry, entryOf, PARTIES, type Party } from '../availability/entries.ts';
import { isoInstant, localTime, parsePeriod } from '../calendar.ts';
import { systemClock } from '../clock.ts';
import { createLogger } from '../log.ts';
import { storageDirectory } from '../storage.ts';
import { LEDGER_OPTIONS } from '../store/ledger.ts';
import { openStore } from '../store/sqlite-store.ts';
import { configPath } from './config-path.ts';
import { callDaemon } from './daemon-api.ts';
import { table } from './devices.ts';
import { EXIT, type Options, type RunVerb, textOption } from './verb.ts';

const STATES = ['up', 'down', 'unreachable', 'unknown'] as const;
const CORRECTIONS = `SELECT * FROM availability_entries WHERE kind = 'correction' AND (? IS NULL OR device = ?) ORDER BY seq`;

export const run: RunVerb = async (io, [action = 'corrections', device], options) => {
  const loaded = loadConfig(configPath(options), io.env);
  const { timezone } = loaded.config.site;
  if (action === 'corrections') {
    const corrections = await readCorrections(storageDirectory(loaded), device);
    if (options.json)
      io.out(
        `${JSON.stringify(
          corrections.map((each) => correctionJson(each, timezone)),
          null,
          2,
        )}\n`,
      );
    else io.out(correctionTable(corrections, timezone));
    return EXIT.done;
  }
  if (action !== 'correct')
    throw new SitewardError(
      'AVAILABILITY_ACTION',
      `there is no action ${JSON.stringify(action)}`,
      'write corrections [DEVICE], or correct DEVICE --from TIME --to TIME --state STATE --reason TEXT',
    );
  const correction = correctionRequest(device, options, timezone);
  // The ledger has one writer: what a person says is entered by the daemon, in its order and with its hash.
  await callDaemon(loaded.config.http, io.env, '/api/v1/corrections', {
    body: correction,
    refusal: 'CORRECTION_REFUSED',
  });
  io.out('it is in the ledger, beside what was observed\n');
  return EXIT.done;
};

type StoredCorrection = Extract<Entry, { readonly kind: 'correction' }>;

/** What people have said of this device, or of all, read beside a running daemon. */
async function readCorrections(directory: string, device: string | undefined): Promise<StoredCorrection[]> {
  const store = await openStore({ directory, log: createLogger('warn'), readOnly: true });
  try {
    const { database } = await store.open('ledger', LEDGER_OPTIONS);
    const rows = await database.read(CORRECTIONS, [device ?? null, device ?? null]);
    return rows.map(entryOf).filter((entry) => entry.kind === 'correction');
  } finally {
    await store.close();
  }
}

function correctionJson({ device, at, recorded, detail }: StoredCorrection, timezone: string): unknown {
  return {
    device,
    from: isoInstant(at, timezone),
    to: isoInstant(detail.to, timezone),
    state: detail.state ?? null,
    party: detail.party ?? null,
    author: detail.author,
    reason: detail.reason,
    entered_at: isoInstant(recorded, timezone),
  };
}

function correctionTable(corrections: readonly StoredCorrection[], timezone: string): string {
  if (corrections.length === 0) return 'nobody has corrected anything\n';
  const rows = corrections.map(({ device, at, recorded, detail }) => [
    device,
    localTime(at, timezone),
    localTime(detail.to, timezone),
    [detail.state, detail.party && `responsible: ${detail.party}`].filter(Boolean).join(', '),
    detail.author,
    localTime(recorded, timezone),
    detail.reason,
  ]);
  return table(['DEVICE', 'FROM', 'TO', 'SAYS', 'BY', 'ENTERED', 'REASON'], rows);
}

function correctionRequest(device: string | undefined, options: Options, timezone: string): Record<string, string> {
  const from = textOption(options, 'from');
  const to = textOption(options, 'to');
  if (device === undefined || from === undefined || to === undefined)
    throw new SitewardError(
      'CORRECTION_WHAT',
      'which device, and from when to when, must be said',
      'write correct DEVICE --from 2026-10-23T14:10 --to 2026-10-23T15:00 --state up --reason TEXT',
    );
  const span = parsePeriod(`${from}/${to}`, systemClock.wallNow(), timezone);
  if (!span)
    throw new SitewardError(
      'CORRECTION_TIME',
      `${from} to ${to} is no time that passes`,
      `write two times in ISO 8601, the earlier one first; without an offset they are those of ${timezone}`,
    );
  const reason = textOption(options, 'reason')?.trim();
  if (!reason)
    throw new SitewardError(
      'CORRECTION_REASON',
      'why is not said',
      'write --reason TEXT; it stays in the ledger for ever',
    );
  const state = oneOf(STATES, options, 'state');
  const party: Party | undefined = oneOf(PARTIES, options, 'party');
  if (state === undefined && party === undefined)
    throw new SitewardError(
      'CORRECTION_WORD',
      'what was really so is not said',
      `write --state ${STATES.join('|')}, or --party ${PARTIES.join('|')}, or both`,
    );
  return {
    device,
    from: isoInstant(span.from, timezone),
    to: isoInstant(span.to, timezone),
    ...(state === undefined ? {} : { state }),
    ...(party === undefined ? {} : { party }),
    author: textOption(options, 'author') ?? userInfo().username,
    reason,
  };
}

function oneOf<T extends string>(known: readonly T[], options: Options, name: string): T | undefined {
  const text = textOption(options, name);
  const found = known.find((each) => each === text);
  if (text === undefined || found !== undefined) return found;
  throw new SitewardError('CORRECTION_WORD', `--${name} ${text} is none`, `write one of ${known.join(', ')}`);
}
