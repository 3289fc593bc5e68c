import { access, mkdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock, Milliseconds, WallTime } from '#collectors/contract.ts';
import type { LoadedConfig } from '#config/load.ts';
import { dateAt, instantOf, localTime, periodAround } from '../calendar.ts';
import type { Logger } from '../log.ts';
import { sendMail } from '../notices/mail.ts';
import type { Database } from '../store/store.ts';
import { renderReport } from './render.ts';
import { REPORTS } from './sources.ts';

type Scheduled = LoadedConfig['config']['reports']['scheduled'][number];

export interface ReportScheduleOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly database: () => Database;
  readonly loaded: () => LoadedConfig;
}

const LOOK_EVERY = 60_000 as Milliseconds;
/** A report that was due while siteward did not run is made when it does again, up to this late. */
const LATEST = 7 * 86_400_000;
const RETRY_AFTER = 900_000;

/** When a scheduled report was due last: on its day of the month, at its time, in the site's time zone. */
export function lastDue({ day, at }: Pick<Scheduled, 'day' | 'at'>, now: WallTime, timezone: string): WallTime {
  const month = dateAt(now, timezone).slice(0, 7);
  const date = `${month}-${String(day).padStart(2, '0')}`;
  const due = instantOf(`${date}T${at}`, timezone);
  if (due <= now) return due;
  const before = dateAt(periodAround('calendar_month', now, timezone, 1).from, timezone).slice(0, 7);
  return instantOf(`${before}-${String(day).padStart(2, '0')}T${at}`, timezone);
}

/**
 * Makes the reports that the config asks for: of the month before the day on which each is due, written to disk and
 * mailed. A file that is there already was made.
 */
export class ReportSchedule {
  readonly #options: ReportScheduleOptions;
  readonly #stopping = new AbortController();
  readonly #failed = new Map<string, WallTime>();
  readonly #done = new Set<string>();
  #running: Promise<void> = Promise.resolve();

  constructor(options: ReportScheduleOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock } = this.#options;
    const { signal } = this.#stopping;
    const loop = async () => {
      while (!signal.aborted) {
        await clock.sleep(LOOK_EVERY, signal).catch(() => undefined);
        if (!signal.aborted) await this.look();
      }
    };
    this.#running = loop();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Makes what is due and not made yet. A report that fails is tried again later, and keeps no other from its turn. */
  async look(): Promise<void> {
    const { clock, log, loaded } = this.#options;
    const { config } = loaded();
    const now = clock.wallNow();
    for (const scheduled of config.reports.scheduled) {
      const due = lastDue(scheduled, now, config.site.timezone);
      const key = `${JSON.stringify(scheduled)} ${due}`;
      const failed = this.#failed.get(key);
      if (now - due > LATEST || this.#done.has(key) || (failed !== undefined && now - failed < RETRY_AFTER)) continue;
      try {
        await this.#make(scheduled, due);
        this.#done.add(key);
        this.#failed.delete(key);
      } catch (error) {
        this.#failed.set(key, now);
        log.error('a scheduled report could not be made, it is tried again', { report: scheduled.report, error });
      }
    }
  }

  async #make({ report, formats, mail_to }: Scheduled, due: WallTime): Promise<void> {
    const { log, database, loaded } = this.#options;
    const { config, folder } = loaded();
    const { timezone } = config.site;
    const period = dateAt(periodAround('calendar_month', due, timezone, 1).from, timezone).slice(0, 7);
    const directory = resolve(folder, config.storage.directory, config.reports.directory);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const marker = join(directory, `.${report}-${period}-made`);
    if (await exists(marker)) return;
    const load = Object.hasOwn(REPORTS, report) ? REPORTS[report] : undefined;
    const document = await (await load?.())?.(database(), period, { config, now: this.#options.clock.wallNow() });
    if (!document) throw new Error(`there is no report ${report}`);
    const attachments = [];
    for (const format of formats) {
      const filename = `${config.site.id}-${report}-${period}.${format}`;
      const content = await renderReport(document, format);
      await replaceFile(join(directory, filename), content);
      attachments.push({ filename, content });
    }
    if (mail_to.length > 0) {
      if (!config.smtp) throw new Error('reports are to be mailed and no smtp is in the config');
      await sendMail(config.smtp, folder, {
        to: mail_to,
        subject: `${document.title}, ${config.site.client} ${config.site.id}, ${period}`,
        text: `${document.title}\n${document.subtitle}\n\nMade ${localTime(this.#options.clock.wallNow(), timezone)} by siteward.\n`,
        attachments,
        id: `<report-${report}-${period}@${config.site.id}.siteward>`,
      });
    }
    // Only now: what was written and not mailed is made again.
    await replaceFile(marker, Buffer.from(''));
    log.info('a scheduled report was made', { report, period, directory, mailed: mail_to.length });
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

/** A reader of the file sees the old one or the new one, never half of it. */
async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  await writeFile(`${path}.new`, content, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
