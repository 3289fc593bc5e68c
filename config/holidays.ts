/** Public holidays of countries and their regions. The only file that knows `date-holidays`. */
import { createRequire } from 'node:module';
import type Holidays from 'date-holidays';

export interface PublicHoliday {
  /** `2026-10-03` */
  readonly date: string;
  readonly name: string;
}

/** Loaded when a config asks for a country: its data takes longer to read than all the rest of siteward. */
const load = (): typeof Holidays => createRequire(import.meta.url)('date-holidays');
const cache = new Map<string, readonly PublicHoliday[]>();

/** The public holidays of one year, in order. A holiday of several days is there once for each. */
export function publicHolidays(country: string, region: string | undefined, year: number): readonly PublicHoliday[] {
  const key = `${country} ${region ?? ''} ${year}`;
  let found = cache.get(key);
  if (!found) {
    const Calendar = load();
    const calendar = region === undefined ? new Calendar(country) : new Calendar(country, region);
    found = calendar
      .getHolidays(year)
      .filter(({ type }) => type === 'public')
      .flatMap(({ date, start, end, name }) => {
        const days = Math.max(1, Math.round((end.getTime() - start.getTime()) / 86_400_000));
        return Array.from({ length: days }, (_, day) => ({ date: shifted(date.slice(0, 10), day), name }));
      });
    cache.set(key, found);
  }
  return found;
}

/** What is wrong with a country or region, and what to write; undefined when both are known. */
export function holidayFault(country: string, region: string | undefined): string | undefined {
  const known = new (load())();
  const countries = known.getCountries('en');
  if (!Object.hasOwn(countries, country))
    return `no public holidays of ${JSON.stringify(country)} are known (write an ISO 3166 code such as DE, or list the dates)`;
  if (region === undefined) return undefined;
  const regions = known.getStates(country, 'en') ?? {};
  if (Object.hasOwn(regions, region)) return undefined;
  const names = Object.keys(regions);
  return `${JSON.stringify(region)} is no region of ${country} (${names.length > 0 ? `write one of ${names.join(', ')}` : 'leave it out'})`;
}

function shifted(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
