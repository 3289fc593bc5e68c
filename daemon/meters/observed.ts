/** What an observation of a printer says of its meters, as it will lie in the ledger. Pure. */
import type { Identity, Milliseconds, Observation, Reading } from '#collectors/contract.ts';
import { METERS, type Meter, type MeterSource, type Read, type Source, type Step } from './read.ts';
import { isSmallFall, mostPages } from './segment-rules.ts';

const METRIC = 'siteward_printer_meter_pages_total';

export interface ObservedMeters {
  readonly step: Step;
  readonly meters: readonly MeterSource[];
  readonly slots: readonly number[];
  readonly values: ReadonlyMap<Meter, number>;
  readonly note?: string;
}

/** Undefined when the observation says nothing of meters. */
export function observedMeters(observation: Observation): ObservedMeters | undefined {
  const { evidence, groups, problems } = observation;
  const nothing = { meters: [], slots: [], values: new Map<Meter, number>() };
  if (evidence.kind === 'could-not-tell') return { ...nothing, step: 'could-not-tell', note: evidence.reason };
  if (evidence.kind === 'silent') {
    const [problem] = problems;
    const refused = problem !== undefined && /UNKNOWN|WRONG|DECRYPT|AUTH|REFUS|CREDENTIAL/.test(problem.code);
    return { ...nothing, step: refused ? 'refused' : 'silent', ...(problem && { note: short(problem.code) }) };
  }
  const group = groups.find(({ name }) => name === 'meters');
  const readings = (group?.readings ?? []).filter(({ metric }) => metric === METRIC);
  const unusable = problems.find(
    ({ code, message }) => code === 'PROFILE_VALUE_UNUSABLE' && message.startsWith(METRIC),
  );
  if (readings.length === 0) {
    const partial = problems.find(({ code }) => code === 'SNMP_PARTIAL');
    const why = unusable ?? partial ?? problems[0];
    return { ...nothing, step: unusable ? 'unusable' : 'no-counter', ...(why && { note: short(why.message) }) };
  }
  return { ...numbersOf(readings), ...(unusable && { note: short(unusable.message) }) };
}

function numbersOf(readings: readonly Reading[]): ObservedMeters {
  const meters: MeterSource[] = [];
  const slots: number[] = [];
  const values = new Map<Meter, number>();
  const odd: Record<string, string> = {};
  for (const meter of METERS) {
    const reading = readings.find(({ labels }) => labels['meter'] === meter);
    const { source } = reading ?? {};
    if (!reading || !source) continue;
    const pages = Number(reading.value);
    const parts = source.raw.split('+').map(Number);
    const plain = parts.every((part) => Number.isSafeInteger(part)) && parts.join('+') === source.raw;
    const counted = plain && (parts.length > 1 || parts[0] === pages) ? parts.length : 1;
    meters.push({ meter, oid: source.oid, unit: source.unit, parts: counted });
    slots.push(pages, ...(counted > 1 ? parts : []));
    values.set(meter, pages);
    if (counted === 1 && source.raw !== String(pages)) odd[meter] = source.raw;
  }
  const note = Object.keys(odd).length > 0 ? short(JSON.stringify(odd)) : undefined;
  return { step: 'ok', meters, slots, values, ...(note !== undefined && { note }) };
}

const MOST_NOTE = 500;
const short = (text: string): string => text.toWellFormed().slice(0, MOST_NOTE);

/** The source of an observation's numbers. */
export function sourceOf(
  device: string,
  printer: string,
  identity: Identity | undefined,
  profileVersion: string,
  meters: readonly MeterSource[],
): Source {
  return {
    device,
    printer,
    ...(identity?.serial !== undefined && { serial: identity.serial }),
    ...(identity?.vendor !== undefined && { vendor: identity.vendor }),
    ...(identity?.model !== undefined && { model: identity.model }),
    ...(identity?.version !== undefined && { version: identity.version }),
    ...(identity?.engineId !== undefined && { engineId: identity.engineId }),
    profile: identity?.profile ?? '',
    profileVersion,
    meters,
  };
}

export type Doubtful = 'warm-up' | 'fall' | 'jump';

/** Whether the values can be the next ones of a printer that showed `before`. */
export function doubt(
  before: ReadonlyMap<Meter, number>,
  now: ReadonlyMap<Meter, number>,
  elapsed: Milliseconds,
  rated: number,
): Doubtful | undefined {
  const both = [...now].flatMap(([meter, pages]) => {
    const earlier = before.get(meter);
    return earlier === undefined ? [] : [{ earlier, pages }];
  });
  if (both.some(({ earlier }) => earlier > 0) && both.every(({ pages }) => pages === 0)) return 'warm-up';
  if (both.some(({ earlier, pages }) => pages < earlier && pages > 0 && !isSmallFall(earlier, pages))) return 'fall';
  const most = mostPages(rated, elapsed);
  return both.some(({ earlier, pages }) => pages - earlier > most) ? 'jump' : undefined;
}

export type Draft = Omit<Read, 'number' | 'source'>;
