import type { Clock, Milliseconds, WallTime } from '#collectors/contract.ts';
import type { LoadedConfig } from '#config/load.ts';
import type { Logger } from '../log.ts';
import type { Database, Row } from '../store/store.ts';
import { type Channel, channelsOf } from './channels.ts';
import { NoticeDesk } from './desk.ts';
import type { Condition, Incident, Notice } from './incident.ts';

export interface NoticeServiceOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** The ledger: what is to be told outlives a restart. */
  readonly database: () => Database;
  /** Everything that is so. */
  readonly conditions: () => readonly Condition[];
  /** Whether service hours hold for what a condition is about. */
  readonly inService: (condition: Condition, at: WallTime) => boolean;
  /** How long a condition must last before it is told. */
  readonly settle?: Milliseconds;
  /** How often it is looked. */
  readonly every?: Milliseconds;
  /** Waits between tries, the last one for ever. */
  readonly retries?: readonly number[];
}

const LOOK_EVERY = 5_000 as Milliseconds;
const SETTLE = 20_000 as Milliseconds;
const RETRIES = [5_000, 15_000, 60_000, 300_000];
const REFRESH_EVERY = 120_000;
/** What was delivered is kept as a log for this long, and what nobody took is given up after it. */
const KEPT = 90 * 86_400_000;
const MOST_AT_ONCE = 50;

const ENQUEUE = 'INSERT INTO notices (channel, kind, subject, payload, created, due) VALUES (?, ?, ?, ?, ?, ?)';
const WAITING = 'SELECT * FROM notices WHERE delivered IS NULL AND channel = ? ORDER BY id LIMIT ?';

/** Tells people what they should know: once, by every channel, and again until each has taken it. */
export class NoticeService {
  readonly #options: NoticeServiceOptions;
  readonly #desk: NoticeDesk;
  readonly #stopping = new AbortController();
  #loaded: LoadedConfig;
  #channels: readonly Channel[];
  #refreshed = Number.NEGATIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();
  readonly #failing = new Set<string>();

  private constructor(options: NoticeServiceOptions, loaded: LoadedConfig, incidents: readonly Incident[]) {
    this.#options = options;
    this.#loaded = loaded;
    this.#channels = channelsOf(loaded);
    this.#desk = new NoticeDesk(this.#settings(), incidents);
  }

  /** Takes up what was open and waiting before. @throws StoreError when the ledger cannot be read */
  static async open(options: NoticeServiceOptions, loaded: LoadedConfig): Promise<NoticeService> {
    const rows = await options.database().read('SELECT content FROM notice_incidents ORDER BY opened');
    return new NoticeService(
      options,
      loaded,
      rows.map((row) => JSON.parse(String(row['content'])) as Incident),
    );
  }

  get incidents(): readonly Incident[] {
    return this.#desk.incidents;
  }

  configure(loaded: LoadedConfig): void {
    this.#loaded = loaded;
    this.#channels = channelsOf(loaded);
    this.#desk.settings = this.#settings();
  }

  start(): void {
    const { clock, log, every = LOOK_EVERY } = this.#options;
    const { signal } = this.#stopping;
    const loop = async () => {
      while (!signal.aborted) {
        await clock.sleep(every, signal).catch(() => undefined);
        if (signal.aborted) return;
        await this.look().catch((error) => log.error('notices could not be written down', { error }));
      }
    };
    this.#running = loop();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** One look: what is new goes into the queue, and from the queue to the channels. */
  async look(): Promise<void> {
    const now = this.#options.clock.wallNow();
    const { only_in_service_hours } = this.#loaded.config.notices;
    const notices = this.#desk.look(this.#options.conditions(), now, (condition) =>
      only_in_service_hours ? this.#options.inService(condition, now) : true,
    );
    if (notices.length > 0) await this.#enqueue(notices, now);
    await Promise.all(this.#channels.map((channel) => this.#deliver(channel)));
    if (now - this.#refreshed >= REFRESH_EVERY) {
      this.#refreshed = now;
      await Promise.all(this.#channels.map((channel) => this.#refresh(channel, now)));
    }
  }

  /** The last notices, newest first: what was sent, to whom, and what was not taken yet. */
  async log(limit: number): Promise<readonly Row[]> {
    return await this.#options.database().read('SELECT * FROM notices ORDER BY id DESC LIMIT ?', [limit]);
  }

  #settings() {
    const { remind_every, hold_flapping } = this.#loaded.config.notices;
    return { remindEvery: remind_every, holdFlapping: hold_flapping, settle: this.#options.settle ?? SETTLE };
  }

  /** Notices and the incidents that they are about change together: a crash leaves both or neither. */
  async #enqueue(notices: readonly Notice[], now: WallTime): Promise<void> {
    for (const { status, condition } of notices)
      this.#options.log.info('a notice is due', { status, incident: condition.key, title: condition.title });
    const rows = notices.flatMap((notice) =>
      this.#channels.map(({ name }) => [name, notice.status, notice.condition.title, JSON.stringify(notice), now, now]),
    );
    const incidents = this.incidents.map((incident) => [
      incident.condition.key,
      incident.opened,
      JSON.stringify(incident),
    ]);
    await this.#options
      .database()
      .write([
        ...(rows.length > 0 ? [{ sql: ENQUEUE, rows }] : []),
        { sql: 'DELETE FROM notice_incidents' },
        ...(incidents.length > 0
          ? [{ sql: 'INSERT INTO notice_incidents (key, opened, content) VALUES (?, ?, ?)', rows: incidents }]
          : []),
        { sql: 'DELETE FROM notices WHERE created < ?', params: [now - KEPT] },
      ]);
  }

  /** In order: nobody hears that something is over before hearing that it was. */
  async #deliver(channel: Channel): Promise<void> {
    const { clock, log, retries = RETRIES } = this.#options;
    for (const row of await this.#options.database().read(WAITING, [channel.name, MOST_AT_ONCE])) {
      if (Number(row['due']) > clock.wallNow() || this.#stopping.signal.aborted) return;
      const id = Number(row['id']);
      try {
        await channel.send(JSON.parse(String(row['payload'])) as Notice, id, this.#stopping.signal);
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        const attempts = Number(row['attempts']) + 1;
        const wait = retries[Math.min(attempts, retries.length) - 1] ?? SETTLE;
        if (!this.#failing.has(channel.name))
          log.warn('a notice was not taken, it is sent again', { channel: channel.name, error });
        this.#failing.add(channel.name);
        await this.#options.database().write([
          {
            sql: 'UPDATE notices SET attempts = ?, due = ?, last_error = ? WHERE id = ?',
            params: [attempts, clock.wallNow() + wait, error instanceof Error ? error.message : String(error), id],
          },
        ]);
        return;
      }
      if (this.#failing.delete(channel.name)) log.info('notices are taken again', { channel: channel.name });
      await this.#options.database().write([
        {
          sql: 'UPDATE notices SET attempts = attempts + 1, delivered = ? WHERE id = ?',
          params: [clock.wallNow(), id],
        },
      ]);
    }
  }

  async #refresh(channel: Channel, now: WallTime): Promise<void> {
    const notices = this.incidents.map(
      ({ condition, flapping }): Notice => ({ status: 'opened', condition, flapping, at: now }),
    );
    try {
      await channel.refresh?.(notices, this.#stopping.signal);
    } catch (error) {
      this.#options.log.debug('open alerts could not be repeated', { channel: channel.name, error });
    }
  }
}
