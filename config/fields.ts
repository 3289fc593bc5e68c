/** The kinds of value that settings have: how each is written, checked and explained. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { Secret, type SecretSource } from './secret.ts';

/** A duration as milliseconds, branded like `Milliseconds` of the collectors' contract. */
export type Duration = number & { readonly __unit: 'ms' };

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/;

/** Milliseconds of a text such as `30s`, or undefined. */
export function parseDuration(text: string): Duration | undefined {
  const match = DURATION.exec(text.trim());
  if (!match) return undefined;
  return (Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]) as Duration;
}

/** A duration such as `30s`, `5m`, `6h`, `30d`. */
export function duration(limits: { min?: string; max?: string } = {}) {
  const min = limits.min === undefined ? undefined : parseDuration(limits.min);
  const max = limits.max === undefined ? undefined : parseDuration(limits.max);
  return z
    .string({ error: 'is not a duration (write a number and a unit, such as 30s, 5m, 6h or 30d)' })
    .meta({ pattern: DURATION.source, examples: ['30s', '5m', '6h'] })
    .transform((text, context): Duration => {
      const value = parseDuration(text);
      if (value === undefined)
        return fault(
          context,
          `${JSON.stringify(text)} is not a duration (write a number and a unit, such as 30s, 5m, 6h or 30d)`,
        );
      if (min !== undefined && value < min) return fault(context, `${text} is too short (write ${limits.min} or more)`);
      if (max !== undefined && value > max) return fault(context, `${text} is too long (write ${limits.max} or less)`);
      return value;
    });
}

/** A ratio from `99.9%` or `0.999`. The decimal text is kept: money is compared with what the contract says. */
export interface Ratio {
  readonly text: string;
  /** 0 to 1. */
  readonly value: number;
}

export function ratio() {
  return z
    .union([z.string(), z.number()], { error: 'is not a percentage (write 99.9% or 0.999)' })
    .transform((written, context): Ratio => {
      const text = String(written).trim();
      const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text);
      const value = match ? decimalOf(match[1] ?? '', match[2] === '%' ? 2 : 0) : Number.NaN;
      if (!(value >= 0 && value <= 1))
        return fault(context, `${JSON.stringify(written)} is not a share from 0 to 1 (write 99.9% or 0.999)`);
      return { text, value };
    });
}

/** `99.9` over 10^2, by one division of whole numbers: 0.999, where 99.9 / 100 is 0.9990000000000001. */
function decimalOf(text: string, shift: number): number {
  const [whole = '', decimals = ''] = text.split('.');
  return Number(whole + decimals) / 10 ** (decimals.length + shift);
}

/** A number of bytes such as `512MB` (powers of 1000) or `1GiB` (powers of 1024). */
export function bytes() {
  const factors: Record<string, number> = {
    B: 1,
    KB: 1e3,
    MB: 1e6,
    GB: 1e9,
    TB: 1e12,
    KIB: 2 ** 10,
    MIB: 2 ** 20,
    GIB: 2 ** 30,
    TIB: 2 ** 40,
  };
  return z.string({ error: 'is not a size (write 512MB or 1GB)' }).transform((text, context): number => {
    const match = /^(\d+(?:\.\d+)?)\s*([kKmMgGtT]?i?[bB])$/.exec(text.trim());
    const factor = factors[match?.[2]?.toUpperCase() ?? ''];
    if (!match || factor === undefined)
      return fault(context, `${JSON.stringify(text)} is not a size (write 512MB or 1GB)`);
    return Math.round(Number(match[1]) * factor);
  });
}

/** A secret as text, `{env: NAME}` or `{file: PATH}`. */
export function secret() {
  return z
    .union(
      [
        z.string().min(1),
        z.strictObject({ env: z.string().min(1).describe('Name of the environment variable.') }),
        z.strictObject({ file: z.string().min(1).describe('Path of the file, relative to the config file.') }),
      ],
      { error: 'is not a secret (write a text, {env: NAME} or {file: PATH})' },
    )
    .transform((source): Secret => new Secret(source as SecretSource));
}

export function port() {
  return z
    .int({ error: (issue) => `${JSON.stringify(issue.input)} is not a port (write 1 to 65535)` })
    .check((context) => {
      if (context.value < 1 || context.value > 65535) {
        context.issues.push({
          code: 'custom',
          input: context.value,
          message: `${context.value} is not a port (write 1 to 65535)`,
        });
      }
    });
}

/** The IANA time zones that this runtime knows, by their names as in `Europe/Berlin`. */
export function timezone() {
  return z.string().check((context) => {
    try {
      new Intl.DateTimeFormat('en', { timeZone: context.value });
    } catch {
      context.issues.push({
        code: 'custom',
        input: context.value,
        message: `${JSON.stringify(context.value)} is not a time zone (write an IANA name such as Europe/Berlin or UTC)`,
      });
    }
  });
}

/** A name used as label, file name and command-line word: letters, digits, dot, dash and underscore. */
export function identifier() {
  return z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, {
    error: (issue) =>
      `${JSON.stringify(issue.input)} is not a name (write letters, digits, . _ and -, at most 63, starting with a letter or digit)`,
  });
}

const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

/** An IPv4 or IPv6 address or a host name. What looks like an IPv4 address must be one. */
export function address() {
  return z.string().check((context) => {
    const text = context.value;
    if (isIP(text) !== 0) return;
    if (!/^[\d.]+$/.test(text) && HOST_NAME.test(text)) return;
    context.issues.push({
      code: 'custom',
      input: text,
      message: `${JSON.stringify(text)} is not an address (write an IPv4 or IPv6 address or a host name)`,
    });
  });
}

/** A device name or a pattern in which `*` stands for anything. */
export function devicePattern() {
  return z.string().regex(/^[A-Za-z0-9*][A-Za-z0-9._*-]{0,62}$/, {
    error: (issue) => `${JSON.stringify(issue.input)} is not a device name or pattern (write fw-1 or srv-*)`,
  });
}

/** A local date and time without offset, read in the time zone that the setting belongs to. */
export function localDateTime() {
  return z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/, {
    error: (issue) => `${JSON.stringify(issue.input)} is not a local date and time (write "2026-12-05T22:00")`,
  });
}

/** A calendar date. */
export function localDate() {
  return z.string().regex(/^\d{4}-\d{2}-\d{2}$/, {
    error: (issue) => `${JSON.stringify(issue.input)} is not a date (write "2026-12-24")`,
  });
}

/** An amount of money as decimal text: `0.0085`. Never a float. */
export function decimal() {
  return z.union([z.string(), z.number()]).transform((written, context): string => {
    const text = String(written).trim();
    if (!/^-?\d+(\.\d+)?$/.test(text))
      return fault(context, `${JSON.stringify(written)} is not an amount (write "0.0085")`);
    return text;
  });
}

/** Any parsed range `ADDRESS/BITS` of IPv4 or IPv6, or a single address. Its size is checked by discovery. */
export function addressRange() {
  return z.string().check((context) => {
    const [base = '', bits, ...rest] = context.value.split('/');
    const family = isIP(base);
    const length = bits === undefined ? 0 : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
    if (family !== 0 && rest.length === 0 && length <= (family === 4 ? 32 : 128)) return;
    context.issues.push({
      code: 'custom',
      input: context.value,
      message: `${JSON.stringify(context.value)} is not a range (write 192.0.2.0/24 or a single address)`,
    });
  });
}

function fault(context: { addIssue(issue: { code: 'custom'; message: string }): void }, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}
