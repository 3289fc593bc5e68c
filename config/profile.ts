/**
 * What a device profile may say. One YAML file in `config/profiles/` describes one device family: how it is recognised,
 * who it is, and which OIDs give which reading. `docs/profiles.md` teaches it; the engine is `collectors/snmp/profile/`.
 *
 * A profile never computes in code: values are trees of objects (`oid`, `column`, …), operators (`first`, `sum`, …) and
 * transforms (`map`, `scale`, …). A value that cannot be had is absent, and what is made from it is absent too.
 */
import { z } from 'zod';
import { AREAS, type AreaName, DEVICE_CLASSES, METERS } from './words.ts';

const Oid = z.string().regex(/^[0-2](\.\d+){1,127}$/, {
  error: (issue) =>
    `${JSON.stringify(issue.input)} is not an OID (write dotted numbers without a leading dot, such as 1.3.6.1.2.1.1.1.0)`,
});

const Pattern = z.string().check((context) => {
  try {
    new RegExp(context.value, 'u');
  } catch (error) {
    context.issues.push({
      code: 'custom',
      input: context.value,
      message: `is not a regular expression: ${error instanceof Error ? error.message : error}`,
    });
  }
});

const Scalar = z.union([z.string(), z.number(), z.boolean()]);

/** How octets become a value. */
export const DECODERS = [
  'text', // UTF-8, else Latin-1; control characters and padding removed; empty, `N/A`, `(null)`, `-`, `unknown` absent
  'hex', // octets as hex text
  'mac', // six octets as aa:bb:cc:dd:ee:ff
  'number', // a number at the start of a text, such as "12.5 C"; absent when there is none
  'integer', // a text of digits only (HP's octet-string numbers), else absent
  'date_and_time', // DateAndTime (RFC 2579) or a readable date text, as seconds since 1970
  'seconds', // a text such as "12 days, 3:04:05" as seconds
  'float_opaque', // net-snmp's opaque float
  'float', // IEEE 754 single precision in four octets
  'unsigned', // big-endian unsigned number in octets
  'bits', // names of the set bits by `bits`, as a list
] as const;

const transforms = {
  decode: z.enum(DECODERS).exactOptional(),
  record: z
    .strictObject({ id: z.int().min(0).max(255), as: z.enum(['count', 'ratio']).default('count') })
    .exactOptional()
    .describe("Brother's packed records (id, type, length, value): the value of one."),
  key: z
    .string()
    .exactOptional()
    .describe(
      'The value of a key in a KEY:VALUE;KEY:VALUE text, such as IEEE 1284 device ids. Several spellings: MDL|MODEL.',
    ),
  pattern: Pattern.exactOptional().describe('Keeps capture group 1 of the text; absent where it does not match.'),
  replace: z.array(z.strictObject({ pattern: Pattern, by: z.string() })).exactOptional(),
  absent: z.array(Scalar).exactOptional().describe('Values that mean "none", compared before scaling.'),
  repair: z
    .enum(['unsigned32'])
    .exactOptional()
    .describe('unsigned32: a negative 32-bit value is the value plus 2^32.'),
  bits: z
    .record(z.string().regex(/^\d+$/), z.string())
    .exactOptional()
    .describe('Bit number from the most significant bit of the first octet -> name.'),
  map: z
    .record(z.string(), Scalar)
    .exactOptional()
    .describe('Enumeration; a value that is not listed is `otherwise`, or absent.'),
  otherwise: Scalar.exactOptional(),
  scale: z.number().exactOptional(),
  offset: z.number().exactOptional().describe('Added after scaling.'),
  range: z.tuple([z.number(), z.number()]).exactOptional().describe('A number outside is absent.'),
  case: z.enum(['upper', 'lower']).exactOptional(),
};

/** Where a value comes from. Exactly one of the operand keys, and any transforms, which apply in the order above. */
export interface Value {
  /** A scalar instance. */
  readonly oid?: string;
  /** A column of the row at hand. */
  readonly column?: string;
  /** Part of the row's index: its n-th number from 0 (negative: from the end), all of it, or the text in it from n. */
  readonly index?: number | 'all' | { readonly text_from: number };
  /** A column of the row of another table whose index is made from these parts, joined by dots. */
  readonly lookup?: { readonly table: string; readonly column: string; readonly index: readonly ValueOrText[] };
  /** A column of the first row of a table that meets the conditions. */
  readonly row?: { readonly table: string; readonly column: string; readonly where?: readonly Condition[] };
  readonly const?: string | number | boolean;
  readonly first?: readonly ValueOrText[];
  readonly sum?: readonly ValueOrText[];
  readonly difference?: readonly ValueOrText[];
  readonly product?: readonly ValueOrText[];
  readonly quotient?: readonly ValueOrText[];
  readonly max?: readonly ValueOrText[];
  readonly min?: readonly ValueOrText[];
  /** One number from all rows of a table that meet the conditions. */
  readonly aggregate?: {
    readonly table: string;
    readonly column: string;
    readonly by: 'sum' | 'mean' | 'max' | 'min' | 'count';
    readonly where?: readonly Condition[];
  };
  /** Texts joined by `separator`; absent parts are left out. */
  readonly join?: readonly ValueOrText[];
  readonly separator?: string;
  /** Holds only where these conditions do. */
  readonly when?: readonly Condition[];
  readonly decode?: (typeof DECODERS)[number];
  readonly record?: { readonly id: number; readonly as: 'count' | 'ratio' };
  readonly key?: string;
  readonly pattern?: string;
  readonly replace?: readonly { readonly pattern: string; readonly by: string }[];
  readonly absent?: readonly (string | number | boolean)[];
  readonly repair?: 'unsigned32';
  readonly bits?: Readonly<Record<string, string>>;
  readonly map?: Readonly<Record<string, string | number | boolean>>;
  readonly otherwise?: string | number | boolean;
  readonly scale?: number;
  readonly offset?: number;
  readonly range?: readonly [number, number];
  readonly case?: 'upper' | 'lower';
}

/** A plain text stands for itself, except that an OID stands for that scalar. */
export type ValueOrText = Value | string | number;

/** All keys that are given must hold for the value (after its transforms). */
export interface Condition {
  readonly value?: ValueOrText;
  readonly exists?: boolean;
  readonly in?: readonly (string | number | boolean)[];
  readonly not_in?: readonly (string | number | boolean)[];
  readonly matches?: string;
  readonly not_matches?: string;
  readonly above?: number;
  readonly below?: number;
  readonly any?: readonly Condition[];
}

const OPERANDS = [
  'oid',
  'column',
  'index',
  'lookup',
  'row',
  'const',
  'first',
  'sum',
  'difference',
  'product',
  'quotient',
  'max',
  'min',
  'aggregate',
  'join',
] as const;

const ValueSchema: z.ZodType<ValueOrText> = z.lazy(() => z.union([ValueObject, z.string(), z.number()]));
const Values = z.array(ValueSchema).min(1);
const ConditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z.strictObject({
    value: ValueSchema.exactOptional(),
    exists: z.boolean().exactOptional(),
    in: z.array(Scalar).exactOptional(),
    not_in: z.array(Scalar).exactOptional(),
    matches: Pattern.exactOptional(),
    not_matches: Pattern.exactOptional(),
    above: z.number().exactOptional(),
    below: z.number().exactOptional(),
    any: z.array(ConditionSchema).exactOptional(),
  }),
);
const Conditions = z.array(ConditionSchema);

const ValueObject: z.ZodType<Value> = z
  .strictObject({
    oid: Oid.exactOptional(),
    column: z.string().exactOptional(),
    index: z.union([z.int(), z.literal('all'), z.strictObject({ text_from: z.int().min(0) })]).exactOptional(),
    lookup: z.strictObject({ table: z.string(), column: z.string(), index: Values }).exactOptional(),
    row: z.strictObject({ table: z.string(), column: z.string(), where: Conditions.exactOptional() }).exactOptional(),
    const: Scalar.exactOptional(),
    first: Values.exactOptional(),
    sum: Values.exactOptional(),
    difference: Values.exactOptional(),
    product: Values.exactOptional(),
    quotient: Values.exactOptional(),
    max: Values.exactOptional(),
    min: Values.exactOptional(),
    aggregate: z
      .strictObject({
        table: z.string(),
        column: z.string(),
        by: z.enum(['sum', 'mean', 'max', 'min', 'count']),
        where: Conditions.exactOptional(),
      })
      .exactOptional(),
    join: Values.exactOptional(),
    separator: z.string().exactOptional(),
    when: Conditions.exactOptional(),
    ...transforms,
  })
  .check((context) => {
    const used = OPERANDS.filter((key) => context.value[key] !== undefined);
    if (used.length !== 1) {
      context.issues.push({
        code: 'custom',
        input: context.value,
        message: `names ${used.length} sources (${used.join(', ') || 'none'}); write exactly one of ${OPERANDS.join(', ')}`,
      });
    }
  });

const Match = z.strictObject({
  sys_object_id: z
    .union([Oid, z.array(Oid).min(1)])
    .optional()
    .describe('Prefix of sysObjectID, by whole numbers.'),
  not_sys_object_id: z.union([Oid, z.array(Oid).min(1)]).optional(),
  sys_descr: Pattern.optional(),
  not_sys_descr: Pattern.optional(),
  sys_name: Pattern.optional(),
  probe: z
    .array(z.strictObject({ oid: Oid, matches: Pattern.optional() }))
    .optional()
    .describe('Scalars that must answer; asked only where the other conditions hold.'),
});

const Table = z.strictObject({
  entry: Oid.describe('OID of the table entry; columns are numbers below it.'),
  columns: z
    .record(z.string().regex(/^[a-z][a-z0-9_]*$/), z.union([z.int().min(0), Oid]))
    .describe('Name -> number below `entry`, or a full OID of an AUGMENTS table.'),
  slow: z
    .array(z.string())
    .default([])
    .describe('Columns that hardly ever change, such as names: read at inventory and remembered until the next.'),
});

const Labels = z.record(z.string(), ValueSchema);

const reading = { labels: Labels.optional(), when: Conditions.optional() };

/** One reading or a family of readings that belong together. Exactly one of the kinds. */
export const ReadingSchema = z.union([
  z.strictObject({ metric: z.string(), value: ValueSchema, ...reading }).describe('One series.'),
  z
    .strictObject({
      states: z.string(),
      label: z.string(),
      of: z.array(z.string()).min(2),
      value: ValueSchema,
      ...reading,
    })
    .describe('A state set: one series per state, 1 for the one that `value` names.'),
  z
    .strictObject({ flags: z.string(), label: z.string(), value: ValueSchema, ...reading })
    .describe('One series of value 1 for each name in the list that `value` gives (decode: bits).'),
  z
    .strictObject({
      memory: ValueSchema,
      size: ValueSchema.optional(),
      used: ValueSchema.optional(),
      free: ValueSchema.optional(),
      used_ratio: ValueSchema.optional(),
      when: Conditions.optional(),
    })
    .describe(
      'siteward_memory_*: from any two of size, used, free, used_ratio (or used_ratio alone) the rest is worked out. The key is the label.',
    ),
  z
    .strictObject({
      filesystem: ValueSchema,
      size: ValueSchema,
      used: ValueSchema.optional(),
      free: ValueSchema.optional(),
      used_ratio: ValueSchema.optional(),
      when: Conditions.optional(),
    })
    .describe('siteward_filesystem_*: size with one of used, free or used_ratio. The key is the mountpoint.'),
  z
    .strictObject({
      meter: z.enum(METERS),
      value: ValueSchema,
      unit: ValueSchema.default('impressions'),
      when: Conditions.optional(),
    })
    .describe('siteward_printer_meter_pages_total, with OID, unit and raw value kept.'),
  z
    .strictObject({
      supply: ValueSchema,
      description: ValueSchema.optional(),
      level: ValueSchema,
      max: ValueSchema.optional(),
      unit: ValueSchema.optional(),
      class: ValueSchema.optional(),
      type: ValueSchema.optional(),
      color: ValueSchema.optional(),
      inverted: z
        .union([z.boolean(), ValueSchema])
        .optional()
        .describe('True where a receptacle reports what is in it instead of the room left.'),
      state: ValueSchema.optional().describe(
        'ok, low, empty or unknown, where the device says it in words of its own.',
      ),
      when: Conditions.optional(),
    })
    .describe(
      'siteward_printer_supply_* by the rules of RFC 3805. `level` and `max` as sent, `unit`, `class`, `type` as the enumerations of the MIB. The key is the index.',
    ),
  z
    .strictObject({
      tray: ValueSchema,
      level: ValueSchema,
      max: ValueSchema,
      unit: ValueSchema.optional(),
      when: Conditions.optional(),
    })
    .describe('siteward_printer_input_level_ratio by the rules of RFC 3805.'),
]);

const Source = z.union([
  z.literal('inherit').describe('Here the sources of the same area in the profiles that this one extends.'),
  z.strictObject({
    rows: z
      .string()
      .optional()
      .describe('Name of a table: the readings are made once per row. Left out: once, from scalars.'),
    where: Conditions.optional().describe('Which rows.'),
    when: Conditions.optional().describe('Whether this source applies to the device at all.'),
    sure: z.enum(['A', 'B', 'C', 'D']).optional(),
    may_be_empty: z
      .boolean()
      .default(false)
      .describe('Asked at every poll even while it has no rows: alerts, tunnels, users that come and go.'),
    one_per_name: z
      .boolean()
      .default(false)
      .describe(
        'Rows of the same name are one thing, and the first that gives a value speaks for all: the selectors of one tunnel. Left out, each gets its index behind its name.',
      ),
    speed: ValueSchema.optional().describe(
      'Bytes per second that a row can move at most. A 32-bit counter that falls is taken to have turned only as far as that is possible.',
    ),
    readings: z.array(ReadingSchema).min(1),
  }),
]);

const AreaSchema = z.union([
  z.array(Source).describe('Sources in order; an empty list switches the area off.'),
  z.strictObject({
    mode: z.enum(['first', 'all']).optional(),
    pace: z.enum(['metrics', 'inventory']).default('metrics'),
    sources: z.array(Source),
  }),
]);

export const ProfileSettings = z.strictObject({
  title: z.string().min(1).describe('Name of the family for the coverage reference.'),
  abstract: z.boolean().default(false).describe('A shared part: extended by others, never matched.'),
  extends: z
    .array(z.string())
    .default([])
    .describe('Names of profiles whose tables, identity and areas this one builds on; the later ones win.'),
  class: z.enum(DEVICE_CLASSES).optional(),
  vendor: z.string().optional(),
  rank: z
    .int()
    .min(-100)
    .max(100)
    .default(0)
    .describe('Wins over a lower rank where several profiles match; between equals the more specific match wins.'),
  match: z.array(Match).default([]).describe('Any of these; in each all that is given must hold.'),
  sure: z
    .enum(['A', 'B', 'C', 'D'])
    .default('B')
    .describe('How sure the mapping is: A proved on devices, B by MIB and recording, C by MIB, D one source.'),
  agent: z.strictObject({ bulk: z.boolean().optional(), max_varbinds: z.int().min(1).max(60).optional() }).default({}),
  tables: z.record(z.string().regex(/^[a-z][a-z0-9_]*$/), Table).default({}),
  identity: z
    .strictObject({
      class: ValueSchema.optional(),
      vendor: ValueSchema.optional(),
      model: ValueSchema.optional(),
      serial: ValueSchema.optional(),
      version: ValueSchema.optional(),
      sys_name: ValueSchema.optional(),
    })
    .default({})
    .describe('Who the device is. What a value does not give is taken from the profiles extended.'),
  areas: z.partialRecord(z.enum(Object.keys(AREAS) as [AreaName, ...AreaName[]]), AreaSchema).default({}),
});

export type ProfileSettings = z.output<typeof ProfileSettings>;
export type ReadingSettings = z.output<typeof ReadingSchema>;
export type MatchSettings = z.output<typeof Match>;
export type SourceSettings = z.output<typeof Source>;
