/** Entering maintenance and ending it before its time, the same for the page and for the API. */
import type { WallTime } from '#collectors/contract.ts';
import { SitewardError } from '#config/errors.ts';
import { matchesDevice } from '../availability/maintenance.ts';
import { problem } from './answer.ts';
import type { NewWindow, WindowView } from './page-sources.ts';
import type { Answer, WebContext } from './route.ts';

type Parts = Pick<WebContext, 'view' | 'clock' | 'sources'>;

/** Bounds of one window, in seconds: a longer one belongs into the config, where others see it. */
export const SHORTEST_SECONDS = 60;
export const LONGEST_SECONDS = 30 * 86_400;

/** What is open or planned. */
export function shownWindows({ sources, clock }: Parts): readonly WindowView[] {
  return sources?.windows?.(clock.wallNow()) ?? [];
}

/** The key of the window that was entered, or why it was not. */
export async function enter(window: NewWindow, { view, clock, sources }: Parts): Promise<string | Answer> {
  if (!sources?.enterWindow) return problem(404, 'no maintenance', 'windows are entered in the config');
  const stray = window.devices.find((pattern) => !view.devices().some(({ name }) => matchesDevice([pattern], name)));
  if (window.devices.length === 0 || stray !== undefined)
    return problem(422, 'no such device', `${JSON.stringify(stray ?? '')} is no device and no pattern of one`);
  // Dated back, it would excuse an outage that is known already. That is a correction, which says so.
  if (window.from < clock.wallNow() - 1000)
    return problem(
      422,
      'not in the past',
      'maintenance is entered before it begins (POST /api/v1/corrections after it)',
    );
  return await refusedOr(async () => (await sources.enterWindow?.(window)) ?? '');
}

/** Nothing when it is ended, else why it is not. */
export async function end(key: string, by: string, reason: string, { sources }: Parts): Promise<Answer | undefined> {
  if (!sources?.endWindow) return problem(404, 'no maintenance', 'windows are ended in the config');
  const ended = await refusedOr(async () => {
    await sources.endWindow?.(key, by, reason);
    return '';
  });
  return typeof ended === 'string' ? undefined : ended;
}

async function refusedOr(write: () => Promise<string>): Promise<string | Answer> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof SitewardError)) throw error;
    switch (error.code) {
      case 'NO_SUCH_MAINTENANCE':
        return problem(404, error.message, error.hint);
      case 'NOT_ENTERED':
        return problem(409, error.message, error.hint);
      default:
        throw error;
    }
  }
}

/** From now on, for so long. */
export function lasting(now: WallTime, seconds: number): { readonly from: WallTime; readonly to: WallTime } {
  return { from: now, to: (now + seconds * 1000) as WallTime };
}
