/** Do a printer's counters agree with each other? A gap is a flag in pages; nothing is dropped or corrected for it. */
import type { Flag, MeterLine } from './period-row.ts';
import type { Meter } from './read.ts';

interface Sum {
  readonly whole: Meter;
  /** Parts that must be there for the sum to say anything, and parts that count where they are. */
  readonly parts: readonly Meter[];
  readonly optional?: readonly Meter[];
}

const SUMS: readonly Sum[] = [
  { whole: 'total', parts: ['mono', 'color'] },
  { whole: 'total', parts: ['print', 'copy'], optional: ['fax'] },
  { whole: 'print', parts: ['print_mono', 'print_color'] },
  { whole: 'copy', parts: ['copy_mono', 'copy_color'] },
  { whole: 'mono', parts: ['print_mono', 'copy_mono'], optional: ['fax'] },
  { whole: 'color', parts: ['print_color', 'copy_color'] },
  { whole: 'large', parts: ['large_mono', 'large_color'] },
];

/** Meters that are a part of another and can never be more. */
const WITHIN: readonly (readonly [part: Meter, whole: Meter])[] = [
  ['mono', 'total'],
  ['color', 'total'],
  ['large', 'total'],
  ['large_mono', 'mono'],
  ['large_color', 'color'],
];

/** Gaps that a maker's counters are known to have, by sum. */
const KNOWN: readonly { readonly vendor: RegExp; readonly sum: string; readonly why: string }[] = [
  { vendor: /konica|develop|olivetti/i, sum: 'total', why: 'its total holds report pages, which no function counts' },
  { vendor: /kyocera|utax|triumph/i, sum: 'total', why: 'its total holds pages of reports and lists' },
  { vendor: /canon/i, sum: 'total', why: 'single-colour pages are in the total and in neither part' },
  { vendor: /ricoh|lanier|savin|nrg|gestetner/i, sum: 'total', why: 'pages in one or two colours are counted apart' },
  { vendor: /sharp/i, sum: 'total', why: 'pages in one or two colours are counted apart' },
  { vendor: /xerox|fuji/i, sum: 'total', why: 'the total may hold pages that are in neither part' },
  { vendor: /brother/i, sum: 'total', why: 'some models count maintenance pages in the total only' },
];

/** How the standard prtMarkerLifeCount is known to differ from the total of a maker. */
const ENGINE: readonly { readonly vendor: RegExp; readonly why: string }[] = [
  {
    vendor: /kyocera|utax|triumph/i,
    why: 'its engine counts its own work too, one to two per cent more than is printed',
  },
  { vendor: /konica|develop|olivetti/i, why: 'its engine counts reports too, which the total does not hold' },
  { vendor: /canon/i, why: 'the engine counter of office models runs apart from the panel, which is the bill' },
  { vendor: /brother/i, why: 'on some models the two differ by up to a quarter; compare with the panel once' },
  {
    vendor: /^hp$|hewlett|sharp/i,
    why: 'on this make the two are the same wherever both were seen: look at the printer',
  },
];

/** Flags of the period's pages: those used, not the counters' lives, which began in a factory. */
export function reconcile(lines: Readonly<Partial<Record<Meter, MeterLine>>>, vendor: string | undefined): Flag[] {
  return [...sums(lines, vendor), ...parts(lines), ...standard(lines, vendor)];
}

function* sums(lines: Readonly<Partial<Record<Meter, MeterLine>>>, vendor: string | undefined): Generator<Flag> {
  for (const { whole, parts, optional = [] } of SUMS) {
    const total = lines[whole]?.used;
    const used = parts.map((meter) => lines[meter]?.used);
    if (total === undefined || used.includes(undefined)) continue;
    const present = optional.filter((meter) => lines[meter] !== undefined);
    const sum = [...used, ...present.map((meter) => lines[meter]?.used)].reduce<number>((all, n) => all + (n ?? 0), 0);
    const gap = total - sum;
    if (gap === 0) continue;
    const known = KNOWN.find((each) => each.sum === whole && vendor !== undefined && each.vendor.test(vendor));
    const names = [...parts, ...present].join(' + ');
    yield {
      code: 'gap',
      meter: whole,
      pages: gap,
      text: `${whole} is ${Math.abs(gap)} ${gap > 0 ? 'more' : 'less'} than ${names}${gap > 0 && known ? `: ${known.why}` : ''}`,
    };
  }
}

function* parts(lines: Readonly<Partial<Record<Meter, MeterLine>>>): Generator<Flag> {
  for (const [part, whole] of WITHIN) {
    const all = lines[whole]?.used;
    const some = lines[part]?.used;
    if (all === undefined || some === undefined || some <= all) continue;
    yield {
      code: 'part-above-whole',
      meter: part,
      pages: some - all,
      text: `${part} rose by ${some - all} more than ${whole}`,
    };
  }
}

/** The maker's own total against the standard counter. */
function* standard(lines: Readonly<Partial<Record<Meter, MeterLine>>>, vendor: string | undefined): Generator<Flag> {
  const { total, engine } = lines;
  // Between values that were worked out the gap is that of the working out.
  if (!total || !engine || ![total, engine].every(isRead)) return;
  const gap = total.used - engine.used;
  if (gap === 0) return;
  const known = ENGINE.find((each) => vendor !== undefined && each.vendor.test(vendor));
  yield {
    code: 'standard-gap',
    meter: 'total',
    pages: gap,
    text: `total rose by ${total.used}, the standard prtMarkerLifeCount by ${engine.used}${known ? `: ${known.why}` : ''}`,
  };
}

const isRead = ({ opening, closing }: MeterLine): boolean =>
  [opening, closing].every((value) => value.class === 'actual' || value.class === 'manual');
