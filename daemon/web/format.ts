/** Figures and times as people of a language read them. Pure, but for the cache of formatters. */
import type { WallTime } from '#collectors/contract.ts';
import type { Messages } from './messages/en.ts';

export interface Words {
  readonly language: string;
  readonly messages: Messages;
  readonly timezone: string;
}

const numbers = new Map<string, Intl.NumberFormat>();
const times = new Map<string, Intl.DateTimeFormat>();

export function numberText(value: number | bigint, { messages }: Words, digits = 0): string {
  const key = `${messages.locale} ${digits}`;
  let format = numbers.get(key);
  if (!format) {
    format = new Intl.NumberFormat(messages.locale, { maximumFractionDigits: digits });
    numbers.set(key, format);
  }
  return format.format(value);
}

/** A share as a percentage. Never rounded up to 100 %, nor down to 0 %: both would hide that something is missing. */
export function percentText(ratio: number, words: Words, digits = 0): string {
  const factor = 10 ** digits;
  const scaled = ratio * 100 * factor;
  const rounded = ratio < 1 ? Math.min(Math.round(scaled), 100 * factor - 1) : Math.round(scaled);
  return `${numberText((ratio > 0 ? Math.max(rounded, 1) : rounded) / factor, words, digits)} %`;
}

const STEPS = ['', 'k', 'M', 'G', 'T', 'P'] as const;

/** `1.5 GB`, in powers of 1000. */
export function bytesText(value: number, words: Words, unit = 'B'): string {
  let step = 0;
  let rest = value;
  while (Math.abs(rest) >= 1000 && step < STEPS.length - 1) {
    rest /= 1000;
    step += 1;
  }
  return `${numberText(rest, words, Math.abs(rest) < 10 && step > 0 ? 1 : 0)} ${STEPS[step]}${unit}`;
}

/** Networks are sold in bits: `1 Gbit/s`. */
export function bitRateText(bytesPerSecond: number, words: Words): string {
  return bytesText(bytesPerSecond * 8, words, 'bit/s');
}

/** `3 min`, `4 h 12 min`, `2 d 3 h`. */
export function durationText(milliseconds: number, { messages: { duration } }: Words): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return duration.seconds(seconds);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return duration.minutes(minutes);
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return duration.hours(hours, minutes % 60);
  return duration.days(Math.floor(hours / 24), hours % 24);
}

type TimeStyle = 'time' | 'date' | 'both';
const STYLES: Readonly<Record<TimeStyle, Intl.DateTimeFormatOptions>> = {
  time: { hour: '2-digit', minute: '2-digit' },
  date: { day: 'numeric', month: 'short', year: 'numeric' },
  both: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
};

/** On the clock of the site. */
export function timeText(at: WallTime | number, words: Words, style: TimeStyle = 'both'): string {
  const key = `${words.messages.locale} ${words.timezone} ${style}`;
  let format = times.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(words.messages.locale, {
      ...STYLES[style],
      timeZone: words.timezone,
      hourCycle: 'h23',
    });
    times.set(key, format);
  }
  return format.format(at);
}
