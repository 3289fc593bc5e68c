import { userInfo } from 'node:os';
import type { WallTime } from '#collectors/contract.ts';
import { SitewardError } from '#config/errors.ts';
import { type LoadedConfig, loadConfig } from '#config/load.ts';
import { systemClock } from '../clock.ts';
import { createLogger } from '../log.ts';
import { withAdoptedOf } from '../meters/adopted.ts';
import { MeterArchive } from '../meters/archive.ts';
import { decide, enterManual, type ManualRequest, type SegmentRequest } from '../meters/entering.ts';
import { meterEvents } from '../meters/events.ts';
import { MeterLedger } from '../meters/ledger.ts';
import { isMeter, METERS, type Meter } from '../meters/read.ts';
import { allTerms } from '../meters/terms.ts';
import { storageDirectory } from '../storage.ts';
import { StoreError } from '../store/errors.ts';
import { LEDGER_OPTIONS } from '../store/ledger.ts';
import { openStore } from '../store/sqlite-store.ts';
import { configPath } from './config-path.ts';
import { callDaemon } from './daemon-api.ts';
import { table } from './devices.ts';
import { EXIT, type Options, type RunVerb, textOption } from './verb.ts';

const ACTIONS = ['confirm', 'join', 'split', 'reject'] as const;

export const run: RunVerb = async (io, [action = '', ...args], options) => {
  const loaded = loadConfig(configPath(options), io.env);
  if (action === 'segment' && (args[0] ?? 'list') === 'list') {
    const events = await listed(loaded, args[1]);
    if (options.json) io.out(`${JSON.stringify(events, null, 2)}\n`);
    else io.out(eventTable(events));
    return EXIT.done;
  }
  if (action === 'segment') await write(loaded, io.env, 'decisions', segmentRequest(args, options));
  else if (action === 'enter') await write(loaded, io.env, 'readings', manualRequest(args, options));
  else
    throw new SitewardError(
      'METERS_ACTION',
      `there is no action ${JSON.stringify(action)}`,
      'write segment list, segment confirm|join|split|reject READ, or enter DEVICE',
    );
  io.out('it is in the ledger, and in the bill of the period that is open\n');
  return EXIT.done;
};

type ListedEvents = Awaited<ReturnType<typeof listed>>;

/** What happened to counters, read beside a running daemon. */
async function listed(loaded: LoadedConfig, device: string | undefined) {
  const store = await openStore({ directory: storageDirectory(loaded), log: createLogger('warn'), readOnly: true });
  try {
    const { database } = await store.open('ledger', LEDGER_OPTIONS);
    const events = await meterEvents(
      new MeterArchive({ database }),
      allTerms(await withAdoptedOf(database, loaded.config)),
      device,
    );
    return events.map(({ at, read, decidedBy, ...event }) => ({
      read: `${read.device}#${read.number}`,
      at: new Date(at).toISOString(),
      ...event,
      decided_by: decidedBy ?? null,
    }));
  } finally {
    await store.close();
  }
}

function eventTable(events: ListedEvents): string {
  if (events.length === 0) return 'nothing out of the ordinary happened to a counter\n';
  const rows = events.map(({ read, at, meter, kind, status, from, to, billed, withheld }) => [
    read,
    at.slice(0, 16).replace('T', ' '),
    meter,
    kind,
    status,
    `${from} → ${to}`,
    String(billed),
    withheld > 0 ? String(withheld) : '',
  ]);
  return table(['READ', 'WHEN (UTC)', 'METER', 'WHAT', 'STATUS', 'COUNTER', 'BILLED', 'HELD BACK'], rows);
}

function segmentRequest([what = '', read = '']: readonly string[], options: Options): SegmentRequest {
  const action = ACTIONS.find((known) => known === what);
  if (!action || read === '')
    throw new SitewardError(
      'METERS_SEGMENT',
      `segment ${what} ${read}`.trim(),
      `write segment ${ACTIONS.join('|')} DEVICE#NUMBER --reason TEXT; segment list gives the numbers`,
    );
  const as = textOption(options, 'as');
  if (as !== undefined && as !== 'reset' && as !== 'board-swap' && as !== 'wrap')
    throw new SitewardError('METERS_SEGMENT', `--as ${as}`, 'write reset, board-swap or wrap');
  const start = numberOption(options, 'start');
  const meter = meterOption(options);
  return {
    read,
    action,
    ...said(options),
    ...(as !== undefined && { as }),
    ...(start !== undefined && { start }),
    ...(meter !== undefined && { meter }),
  };
}

function manualRequest([device = '']: readonly string[], options: Options): ManualRequest {
  const meter = meterOption(options);
  const pages = numberOption(options, 'pages');
  if (device === '' || meter === undefined || pages === undefined)
    throw new SitewardError(
      'METERS_ENTER',
      'which printer, which meter and how many pages must all be said',
      'write enter DEVICE --meter total --pages 412345 --reason TEXT',
    );
  const written = textOption(options, 'at');
  const at = written === undefined ? systemClock.wallNow() : (Date.parse(written) as WallTime);
  if (Number.isNaN(at))
    throw new SitewardError('METERS_ENTER', `--at ${written} is no time`, 'write 2026-11-01T08:30+01:00');
  return { device, meter, pages, at, ...said(options), ...(options.implausible === true && { implausible: true }) };
}

function said(options: Options): { readonly author: string; readonly reason: string } {
  const reason = textOption(options, 'reason')?.trim();
  if (!reason)
    throw new SitewardError(
      'METERS_REASON',
      'why is not said',
      'write --reason TEXT; it stays with the figure for ever',
    );
  return { author: textOption(options, 'author') ?? userInfo().username, reason };
}

function meterOption(options: Options): Meter | undefined {
  const meter = textOption(options, 'meter');
  if (meter === undefined || isMeter(meter)) return meter;
  throw new SitewardError('METERS_METER', `${JSON.stringify(meter)} is no meter`, `write one of ${METERS.join(', ')}`);
}

function numberOption(options: Options, name: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new SitewardError('METERS_NUMBER', `--${name} ${text} is no count of pages`, `write --${name} 412345`);
}

/** Into the ledger; where a daemon holds it, by way of that. */
async function write(
  loaded: LoadedConfig,
  env: NodeJS.ProcessEnv,
  what: 'decisions' | 'readings',
  request: SegmentRequest | ManualRequest,
): Promise<void> {
  const now = systemClock.wallNow();
  try {
    const store = await openStore({ directory: storageDirectory(loaded), log: createLogger('warn') });
    try {
      const { database } = await store.open('ledger', LEDGER_OPTIONS);
      const ledger = await MeterLedger.open({ database });
      if ('action' in request) await decide(ledger, request, now);
      else await enterManual(ledger, allTerms(await withAdoptedOf(database, loaded.config)), request, now);
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'STORE_LOCKED') throw error;
    const body = 'at' in request ? { ...request, at: new Date(request.at).toISOString() } : request;
    await callDaemon(loaded.config.http, env, `/api/v1/meters/${what}`, { body, refusal: 'METERS_REFUSED' });
  }
}
