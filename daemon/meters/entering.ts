/** What people enter: a reading of the panel, and what became of a counter. Refused where it cannot be. */
import type { Milliseconds, WallTime } from '#collectors/contract.ts';
import { SitewardError } from '#config/errors.ts';
import type { MeterArchive } from './archive.ts';
import { MeterBooks } from './books.ts';
import type { ManualRead } from './entries.ts';
import type { MeterLedger } from './ledger.ts';
import type { Meter, ReadRef, Source } from './read.ts';
import { mostPages } from './segment-rules.ts';
import type { Decision } from './segments.ts';
import { contractOf, type Terms } from './terms.ts';

export interface ManualRequest {
  readonly device: string;
  readonly meter: Meter;
  readonly pages: number;
  readonly at: WallTime;
  readonly author: string;
  readonly reason: string;
  /** It is right although no printer prints so much. */
  readonly implausible?: boolean;
}

export interface SegmentRequest extends Decision {
  /** `DEVICE#NUMBER` of the read at which it happened. */
  readonly read: string;
  readonly meter?: Meter;
}

/** The printer that was read last under a device's name. */
export async function printerAt(archive: MeterArchive, device: string): Promise<Source> {
  const sources = await archive.sources();
  const last = (await archive.lastReads(device)).findLast(({ step }) => step === 'ok');
  const source = sources.get(last?.source ?? 0) ?? [...sources.values()].findLast((each) => each.device === device);
  if (source) return source;
  throw new SitewardError(
    'METER_DEVICE',
    `no meters of ${JSON.stringify(device)} were ever read`,
    'write the name of a printer that `siteward devices` lists, and wait for its first read',
  );
}

/** @throws SitewardError `METER_DEVICE`, `METER_EARLIER`, `METER_LOWER`, `METER_IMPLAUSIBLE`, `METER_FUTURE` */
export async function enterManual(
  ledger: MeterLedger,
  terms: readonly Terms[],
  request: ManualRequest,
  now: WallTime,
): Promise<ManualRead> {
  const { device, meter, pages, at, author, reason, implausible = false } = request;
  const { printer } = await printerAt(ledger, device);
  const contract = contractOf(terms, device);
  const own = terms.find((each) => each.contract === contract);
  const counter = own && (await new MeterBooks(ledger, terms).counters(own, printer)).get(meter);
  const state = counter?.state;
  const shown = (time: WallTime) => new Date(time).toISOString();
  if (at > now + 300_000) {
    throw new SitewardError('METER_FUTURE', `${shown(at)} is not over yet`, 'write when the panel was read');
  }
  if (state) {
    if (at <= state.at) {
      throw new SitewardError(
        'METER_EARLIER',
        `${meter} of ${device} was read at ${shown(state.at)}, after ${shown(at)}`,
        'a reading by hand is for a time after the last read; what was read is not overwritten',
      );
    }
    if (pages < state.level) {
      throw new SitewardError(
        'METER_LOWER',
        `${pages} is less than ${state.level}, which ${meter} of ${device} showed already`,
        'look whether it is the right counter; where the counter began anew, wait for a read and use `siteward meters segment`',
      );
    }
    const most = mostPages(own?.rated ?? 120, (at - state.at) as Milliseconds);
    if (pages - state.level > most && !implausible) {
      throw new SitewardError(
        'METER_IMPLAUSIBLE',
        `${pages} is ${pages - state.level} pages more than at ${shown(state.at)}, and ${most} is the most that it can print in that time`,
        'look whether a digit or the counter is wrong; if it is right, say so with --implausible',
      );
    }
  }
  const body: ManualRead = { device, printer, meter, pages, at, author, reason };
  await ledger.enter('manual', body, now);
  return body;
}

/** @throws SitewardError `METER_READ` when there is no such read. */
export async function decide(ledger: MeterLedger, request: SegmentRequest, now: WallTime): Promise<void> {
  const { read, meter, ...decision } = request;
  const ref = await readRef(ledger, read);
  await ledger.enter('decision', { read: ref, ...(meter !== undefined && { meter }), ...decision }, now);
}

async function readRef(archive: MeterArchive, text: string): Promise<ReadRef> {
  const [, device = '', digits = ''] = /^(.+)#(\d+)$/.exec(text) ?? [];
  const number = Number(digits);
  const id = (await archive.devices()).find(({ name }) => name === device)?.id;
  const last = id === undefined ? undefined : (await archive.lastReads(device)).at(-1)?.number;
  if (last !== undefined && number >= 1 && number <= last) return { device, number };
  throw new SitewardError(
    'METER_READ',
    `there is no read ${JSON.stringify(text)}`,
    'write one as `siteward meters segment list` gives it: DEVICE#NUMBER',
  );
}
