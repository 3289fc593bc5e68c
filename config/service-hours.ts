/**
 * The grammar of service hours: `always`, or lists of days with hours, such as
 * `Mon-Fri 08:00-18:00, Sat 09:00-13:00`. Days may be listed (`Mon,Wed 08:00-12:00`) and have several hours
 * (`Mon-Fri 08:00-12:00 13:00-17:00`); hours past midnight run into the next day (`Fri 22:00-06:00`); hours without days
 * are those of every day.
 */

/** Hours of one weekday, as minutes after its midnight on the clock on the wall. */
export interface DayHours {
  /** 0 to 1439. */
  readonly from: number;
  /** Later than `from`, to 2879: past 1440 they run into the next day. */
  readonly to: number;
}

export interface ServiceHours {
  /** As written. */
  readonly text: string;
  /** Hours of Monday (0) to Sunday (6); `always` for all of the time. */
  readonly days: 'always' | readonly (readonly DayHours[])[];
}

export type ServiceHoursResult =
  | { readonly ok: true; readonly hours: ServiceHours }
  | { readonly ok: false; readonly message: string };

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const FULL_DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const EXAMPLE = 'write always, or days and hours such as "Mon-Fri 08:00-18:00, Sat 09:00-13:00"';

/** Reads service hours; where they cannot be read, `message` says which word is wrong and what to write. */
export function parseServiceHours(text: string): ServiceHoursResult {
  if (/^\s*(always|24x7|24\/7)\s*$/i.test(text)) return { ok: true, hours: { text, days: 'always' } };
  const words = text.replace(/\s*[-–]\s*/g, '-').match(/[^\s,;]+|[,;]/g) ?? [];
  if (words.length === 0) return fault(`is empty (${EXAMPLE})`);
  const days: DayHours[][] = DAYS.map(() => []);
  let named: number[] = [];
  let hoursSeen = false;
  for (const [index, word] of words.entries()) {
    if (word === ',' || word === ';') continue;
    if (/^[\d:-]+$/.test(word)) {
      const hours = hoursOf(word);
      if (typeof hours === 'string') return fault(hours);
      // Hours that stand alone behind a comma belong to the days named last; with none named, to every day.
      for (const day of named.length > 0 ? named : DAYS.keys()) days[day]?.push(hours);
      hoursSeen = true;
      continue;
    }
    const span = daysOf(word);
    if (typeof span === 'string') return fault(span);
    // Days that follow hours begin anew, days that follow days are added to them.
    named = hoursSeen ? span : [...named, ...span];
    hoursSeen = false;
    if (index === words.length - 1) return fault(`says no hours for ${word} (write ${word} 08:00-18:00)`);
  }
  if (!hoursSeen) return fault(`says no hours (${EXAMPLE})`);
  return { ok: true, hours: { text, days } };
}

/** @throws Error where the text is no service hours: the config is checked before, so that this cannot be. */
export function serviceHours(text: string): ServiceHours {
  const result = parseServiceHours(text);
  if (!result.ok) throw new Error(`${JSON.stringify(text)} ${result.message}`);
  return result.hours;
}

function hoursOf(word: string): DayHours | string {
  const [first = '', second, ...rest] = word.split('-');
  if (second === undefined || rest.length > 0) {
    const bad = isTime(first) ? '' : `${JSON.stringify(word)} is not a time of day, `;
    return `${bad}hours need a beginning and an end (write 08:00-18:00 instead of ${JSON.stringify(word)})`;
  }
  for (const part of [first, second])
    if (!isTime(part))
      return `${JSON.stringify(part)} is not a time of day (write 00:00 to 24:00, such as 08:00-18:00)`;
  const from = minutes(first);
  const to = minutes(second);
  if (from === 1440) return `"24:00" ends a day and begins none (write 00:00 of the next day)`;
  if (from === to) return `${JSON.stringify(word)} has no length (write 00:00-24:00 for a whole day)`;
  return { from, to: to > from ? to : to + 1440 };
}

function daysOf(word: string): number[] | string {
  if (/^(daily|every-?day)$/i.test(word)) return [...DAYS.keys()];
  const [first = '', second = first, ...rest] = word.split('-');
  const from = dayOf(first);
  const to = dayOf(second);
  if (rest.length > 0 || from < 0 || to < 0) {
    const bad = from < 0 ? first : to < 0 ? second : word;
    return `${JSON.stringify(bad)} is not a day (write Mon, Tue, Wed, Thu, Fri, Sat or Sun, or Mon-Fri)`;
  }
  const count = ((to - from + 7) % 7) + 1;
  return Array.from({ length: count }, (_, step) => (from + step) % 7);
}

function dayOf(name: string): number {
  const lower = name.toLowerCase();
  const short = DAYS.indexOf(lower);
  return short >= 0 ? short : FULL_DAYS.indexOf(lower);
}

function isTime(text: string): boolean {
  return /^([01]?\d|2[0-3]):[0-5]\d$|^24:00$/.test(text);
}

function minutes(time: string): number {
  const [hour = '0', minute = '0'] = time.split(':');
  return Number(hour) * 60 + Number(minute);
}

function fault(message: string): ServiceHoursResult {
  return { ok: false, message };
}
