/**
 * What prtMarkerSuppliesTable and prtInputTable mean (RFC 3805): levels whose negative values are words, capacities
 * that may be unknown, receptacles, colours and types. Pure: numbers and texts in, a verdict out.
 */

export type SupplyLevel =
  | { readonly kind: 'known'; readonly ratio: number } // 0 to 1
  | { readonly kind: 'some-remaining' }
  | { readonly kind: 'almost-empty' }
  | { readonly kind: 'unlimited' }
  | { readonly kind: 'unknown' };

export const SUPPLY_STATES = ['ok', 'low', 'empty', 'unknown'] as const;
export type SupplyState = (typeof SUPPLY_STATES)[number];

/** PrtMarkerSuppliesSupplyUnit and PrtCapacityUnit: percent. */
const PERCENT = 19;

/** At or below this share a supply is low. */
const LOW = 0.1;

/**
 * Reads a level against its capacity, where negative values are words: -1 no limit, -2 unknown, -3 some remaining.
 * Divided as amounts, -2 of -2 would show a full toner. -100 is Ricoh's word for almost empty. A level above its
 * capacity is incoherent and no level.
 *
 * @param unit as the MIB numbers it; absent where the agent does not say.
 */
export function supplyLevel(level: number, max: number | undefined, unit: number | undefined): SupplyLevel {
  if (!Number.isFinite(level)) return { kind: 'unknown' };
  if (level === -1) return { kind: 'unlimited' };
  if (level === -3) return { kind: 'some-remaining' };
  if (level === -100) return { kind: 'almost-empty' };
  if (level < 0) return { kind: 'unknown' };
  if (max !== undefined && max > 0) return level <= max ? { kind: 'known', ratio: level / max } : { kind: 'unknown' };
  if (unit === PERCENT && level <= 100) return { kind: 'known', ratio: level / 100 };
  return { kind: 'unknown' };
}

/** For a receptacle that reports what is in it, where the standard asks for the room left. */
export function inverted(level: SupplyLevel): SupplyLevel {
  return level.kind === 'known' ? { kind: 'known', ratio: Number((1 - level.ratio).toPrecision(12)) } : level;
}

export function supplyState(level: SupplyLevel): SupplyState {
  switch (level.kind) {
    case 'known':
      if (level.ratio === 0) return 'empty';
      return level.ratio <= LOW ? 'low' : 'ok';
    case 'some-remaining':
    case 'unlimited':
      return 'ok';
    case 'almost-empty':
      return 'low';
    case 'unknown':
      return 'unknown';
    default:
      return level satisfies never;
  }
}

const TYPES: Readonly<Record<number, string>> = {
  3: 'toner',
  4: 'waste_toner',
  5: 'ink',
  6: 'ink',
  7: 'ribbon',
  8: 'waste_ink',
  9: 'drum',
  10: 'developer',
  11: 'fuser_oil',
  12: 'wax',
  13: 'wax',
  14: 'waste_wax',
  15: 'fuser',
  16: 'corona_wire',
  17: 'fuser_oil',
  18: 'cleaner',
  19: 'cleaner',
  20: 'transfer',
  21: 'toner',
  22: 'fuser_oil',
  23: 'water',
  24: 'waste_water',
  25: 'glue',
  26: 'waste_paper',
  27: 'binding',
  28: 'binding',
  29: 'staples',
  30: 'wrap',
  31: 'wrap',
  32: 'staples',
  33: 'inserts',
  34: 'covers',
  35: 'toner',
  36: 'ink',
};

const WASTE =
  /waste|resttoner|alttoner|rest ?tinten|residuel|résiduel|usag[ée]|récup|residu[oa]|recupero|esausto|vaciado|aftval|廃|回収|废|廢|отработ/iu;

/** First match wins: `waste toner box` is no toner, `fuser unit` no drum. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/maintenance (box|tank|cartridge)|wartungs(box|tank)|メンテナンスボックス/iu, 'waste_ink'],
  [/staple|heftklammer|agrafe|grapa|punti metallici|ステープル|針/iu, 'staples'],
  [/maintenance|wartungs|entretien|mantenimiento|manutenzione|service ?kit|\bpf kit|メンテナンス/iu, 'maintenance_kit'],
  [/fus(er|ing)|fixier|fixation|unité de fusion|fusor|fusore|定着/iu, 'fuser'],
  [/transfer|transport ?(belt|band)|\bbelt\b|\bitb\b|übertrag|courroie|correa|cinghia|転写/iu, 'transfer'],
  [/develop|entwickler|développ|revelador|sviluppat|現像/iu, 'developer'],
  [/drum|imaging (unit|kit)|photoconduct|\bopc\b|trommel|bildeinheit|tambour|tambor|tamburo|ドラム|感光/iu, 'drum'],
  [/\bcleaner|cleaning|reinig|nettoy|limpie|puliz/iu, 'cleaner'],
  [/roller|rolle\b|retard|separation|pick-?up|ローラ/iu, 'roller'],
  [/filter|filtre|filtro/iu, 'filter'],
  [/toner|cartridge tk-|トナー|碳粉|тонер/iu, 'toner'],
  [/\bink|tinte|encre|tinta|inchiostro|インク|墨/iu, 'ink'],
  [/ribbon|farbband|リボン/iu, 'ribbon'],
  [/cartridge|kartusche|patrone|cartouche|cartucho|cartuccia/iu, 'toner'],
];

/**
 * Kind of a supply: `toner`, `drum`, `waste_toner`, `ink`, `waste_ink`, `fuser`, `transfer`, `developer`, `staples`,
 * `maintenance_kit`, … or `other`. The MIB's type counts where it says something, else the words of the description.
 *
 * @param type PrtMarkerSuppliesTypeTC as a number, or our own word.
 */
export function supplyType(type: number | string | undefined, description: string, supplyClass?: number): string {
  if (typeof type === 'string' && type !== '' && !/^\d+$/.test(type)) return type;
  const stated = TYPES[Number(type)];
  if (stated !== undefined) {
    // Some makers call their waste bottle a toner; its class or its name tells.
    if (stated === 'toner' && (supplyClass === 4 || WASTE.test(description))) return 'waste_toner';
    if (stated === 'ink' && (supplyClass === 4 || WASTE.test(description))) return 'waste_ink';
    return stated;
  }
  if (WASTE.test(description))
    return /ink|tinte|encre|tinta|inchiostro|インク/iu.test(description) ? 'waste_ink' : 'waste_toner';
  return WORDS.find(([words]) => words.test(description))?.[1] ?? 'other';
}

export function isReceptacle(type: string, supplyClass: number | undefined): boolean {
  return supplyClass === 4 || type.startsWith('waste');
}

/** In this order: `light cyan` before `cyan`, `photo black` before `black`. */
const COLORS: readonly (readonly [RegExp, string])[] = [
  [/photo[ -]?black|foto ?schwarz|noir photo|negro foto/iu, 'photo black'],
  [/matte?[ -]?black|matt ?schwarz|noir mat|negro mate/iu, 'matte black'],
  [/light[ -]?cyan|hellcyan|cyan clair|cian claro/iu, 'light cyan'],
  [/light[ -]?magenta|hellmagenta|magenta clair|magenta claro/iu, 'light magenta'],
  [/light[ -]?light[ -]?black/iu, 'light light black'],
  [/light[ -]?black|light[ -]?gr[ae]y|hellgrau/iu, 'light gray'],
  [/black|schwarz|noire?\b|negr[oa]|nero\b|pret[oa]\b|zwart|svart|sort\b|ブラック|黒|黑|черн|чёрн/iu, 'black'],
  [/cyan|\bzyan|\bcian|ciano|シアン|青|голуб/iu, 'cyan'],
  [/magenta|マゼンタ|[洋品][红紅]|пурпур/iu, 'magenta'],
  [/yellow|gelb|jaune|amarill|giallo|amarel|geel|\bgul\b|イエロー|[黄黃]|желт|жёлт/iu, 'yellow'],
  [/gr[ae]y|grau|\bgris\b|grigio|cinza|グレー/iu, 'gray'],
  [/\bred\b|\brot\b|rouge|\brojo|rosso|レッド/iu, 'red'],
  [/\bblue\b|\bblau\b|\bbleu|\bazul\b|\bblu\b|ブルー/iu, 'blue'],
  [/\bgreen\b|grün|\bvert\b|\bverde\b|グリーン/iu, 'green'],
  [/orange|arancio|naranja|オレンジ/iu, 'orange'],
  [/violet|purple/iu, 'violet'],
  [/\bwhite\b|weiß|\bblanc\b|ホワイト/iu, 'white'],
  [/\bgold\b/iu, 'gold'],
  [/\bsilver\b/iu, 'silver'],
  [/\bclear\b|transparent/iu, 'clear'],
  [/tri-?colou?r|\bcolou?r\b|\bcmy\b|dreifarb/iu, 'color'],
];

/** `Toner Cartridge (K)`, `TK-5240CS`, `TN-423BK`, `Toner K`. */
const LETTERS: readonly (readonly [RegExp, string])[] = [
  [
    /\((?:bk|k)\)|\b(?:tk|tn|dr|clt|cf|ce)[- ]?\w*\d(?:bk|ks?|k\d*\w?)\b|\btoner[ -](?:bk|k)\b|^(?:bk|k)$|\[(?:bk|k)\]/iu,
    'black',
  ],
  [/\(c\)|\b(?:tk|tn|dr|clt)[- ]?\w*\d(?:cs?|c\d+\w?)\b|\btoner[ -]c\b|^c$|\[c\]/iu, 'cyan'],
  [/\(m\)|\b(?:tk|tn|dr|clt)[- ]?\w*\d(?:ms?|m\d+\w?)\b|\btoner[ -]m\b|^m$|\[m\]/iu, 'magenta'],
  [/\(y\)|\b(?:tk|tn|dr|clt)[- ]?\w*\d(?:ys?|y\d+\w?)\b|\btoner[ -]y\b|^y$|\[y\]/iu, 'yellow'],
];

/** Types of supply that have a colour; a waste bottle or a fuser has none, whatever else stands in its name. */
const COLORED = new Set(['toner', 'ink', 'drum', 'developer', 'ribbon', 'wax', 'other']);

/**
 * The colour as an English word, `''` where there is none. The colorant's name counts first, then one colour word or a
 * letter suffix in the description. Two colours in one text are no colour.
 */
export function supplyColor(colorant: string | undefined, description: string, type: string): string {
  if (!COLORED.has(type)) return '';
  const stated = colorant === undefined || /^(other|unknown|none)$/iu.test(colorant) ? undefined : colorWord(colorant);
  return stated ?? colorWord(description) ?? '';
}

function colorWord(text: string): string | undefined {
  const words = COLORS.filter(([pattern]) => pattern.test(text)).map(([, name]) => name);
  const [first] = words;
  if (first !== undefined) {
    // `photo black` holds `black` too; but `cyan, magenta and yellow` are three.
    const basic = new Set(words.filter((word) => ['cyan', 'magenta', 'yellow', 'black'].includes(word)));
    return basic.size > 1 ? (basic.size >= 3 ? 'color' : undefined) : first;
  }
  const letters = LETTERS.filter(([pattern]) => pattern.test(text)).map(([, name]) => name);
  return letters.length === 1 ? letters[0] : undefined;
}

/**
 * A supply's name without what changes when it is replaced: the cartridge's serial number would make a new series of
 * every cartridge.
 */
export function supplyDescription(text: string): string {
  return text
    .replace(/[;,]?\s*\b(?:SN|S\/N|Serial(?: (?:No\.?|Number))?)[:#\s]*[A-Z0-9-]{4,}(?![A-Z0-9-])/giu, '')
    .replace(/\s+/gu, ' ')
    .replace(/[\s;,]+$/u, '');
}

export type TrayLevel =
  | { readonly kind: 'known'; readonly ratio: number }
  | { readonly kind: 'some' }
  | { readonly kind: 'unknown' };

/** Filling of a tray: the same words for negative levels; a tray without a capacity has no ratio. */
export function trayLevel(level: number, max: number | undefined, unit: number | undefined): TrayLevel {
  const supply = supplyLevel(level, max, unit);
  if (supply.kind === 'known') return supply;
  return supply.kind === 'some-remaining' ? { kind: 'some' } : { kind: 'unknown' };
}
