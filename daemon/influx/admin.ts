/** Databases, retention policies, ping and reading back. The only file that knows the `influx` package. */
import { InfluxDB } from 'influx';
import type { Clock, Milliseconds } from '#collectors/contract.ts';
import { SitewardError } from '#config/errors.ts';
import type { InfluxOutputSettings } from '#config/schema.ts';

export class InfluxAdminError extends SitewardError {
  constructor(message: string, options?: ErrorOptions) {
    super(
      'INFLUX_ADMIN',
      message,
      'check url, user and password of the output, and that they may manage databases',
      options,
    );
  }
}

export interface RetentionPolicy {
  readonly name: string;
  /** Undefined: for ever. */
  readonly duration?: Milliseconds;
  readonly isDefault: boolean;
}

const NAME_OF_OWN_POLICY = 'siteward';

/**
 * Questions to an InfluxDB 1, or to the InfluxQL of a later one. Each is raced against the clock: the package never
 * settles when the answer is cut after its headers.
 */
export class InfluxAdmin {
  readonly #client: InfluxDB;
  readonly #settings: InfluxOutputSettings;
  readonly #clock: Clock;

  constructor(settings: InfluxOutputSettings, clock: Clock) {
    const url = new URL(settings.url);
    const secure = url.protocol === 'https:';
    const { user, password, timeout } = settings;
    this.#settings = settings;
    this.#clock = clock;
    this.#client = new InfluxDB({
      database: settings.database,
      username: user ?? '',
      password: password?.reveal() ?? '',
      // Its own back-off would answer "no host available" for minutes after one fault.
      pool: { maxRetries: 0, requestTimeout: timeout, backoff: NO_BACK_OFF },
      hosts: [
        {
          host: url.hostname.replace(/^\[|\]$/g, ''),
          port: Number(url.port) || (secure ? 443 : 80),
          protocol: secure ? 'https' : 'http',
          path: url.pathname.replace(/\/$/, ''),
        },
      ],
    });
  }

  /** Makes database and retention policy where they are missing, and changes the policy's length where it differs. */
  async prepare(signal: AbortSignal): Promise<void> {
    const { database, retention, retention_policy: policy = NAME_OF_OWN_POLICY } = this.#settings;
    await this.#raced(() => this.#client.createDatabase(database), signal);
    if (retention === undefined) return;
    const duration = `${Math.round(retention / 1000)}s`;
    const existing = (await this.policies(signal)).find(({ name }) => name === policy);
    if (existing?.duration === retention) return;
    const isDefault = this.#settings.retention_policy === undefined;
    const options = { database, duration, replication: 1, isDefault };
    const change = existing ? 'alterRetentionPolicy' : 'createRetentionPolicy';
    await this.#raced(() => this.#client[change](policy, options), signal);
  }

  async databases(signal: AbortSignal): Promise<readonly string[]> {
    return await this.#raced(() => this.#client.getDatabaseNames(), signal);
  }

  async policies(signal: AbortSignal): Promise<readonly RetentionPolicy[]> {
    const rows = await this.#raced(() => this.#client.showRetentionPolicies(this.#settings.database), signal);
    return rows.map((row) => {
      const duration = parseGoDuration(row.duration);
      return { name: row.name, isDefault: row.default, ...(duration !== undefined && { duration }) };
    });
  }

  /** The version that it calls itself. */
  async ping(signal: AbortSignal): Promise<string> {
    const [host] = await this.#raced(() => this.#client.ping(this.#settings.timeout), signal);
    if (!host?.online) throw new InfluxAdminError(`no answer from ${this.#settings.url}`);
    return String(host.version ?? 'unknown');
  }

  /** The rows of one InfluxQL statement, as plain objects; `$name` in it takes the value of that name. */
  async query(
    statement: string,
    values: Readonly<Record<string, string | number>>,
    signal: AbortSignal,
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { database } = this.#settings;
    const options = { database, precision: 'ms', placeholders: { ...values } } as const;
    const rows = await this.#raced(() => this.#client.query<Record<string, unknown>>(statement, options), signal);
    return Array.from(rows, (row) => ({ ...row }));
  }

  async #raced<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const limited = AbortSignal.any([signal, this.#clock.timeout(this.#settings.timeout)]);
    limited.throwIfAborted();
    return await new Promise<T>((resolve, reject) => {
      const late = (): void => reject(signal.aborted ? signal.reason : new InfluxAdminError('no whole answer in time'));
      limited.addEventListener('abort', late, { once: true });
      ask()
        .then(resolve, (thrown: unknown) => {
          const message = thrown instanceof Error ? thrown.message : String(thrown);
          reject(new InfluxAdminError(message, { cause: thrown }));
        })
        .finally(() => limited.removeEventListener('abort', late));
    });
  }
}

const NO_BACK_OFF = {
  getDelay: () => 0,
  next: () => NO_BACK_OFF,
  reset: () => NO_BACK_OFF,
};

/** `168h0m0s` as Go prints it; undefined for `0s`, which means for ever. */
export function parseGoDuration(text: string): Milliseconds | undefined {
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (!match) return undefined;
  const [hours, minutes, seconds] = [1, 2, 3].map((group) => Number(match[group] ?? 0)) as [number, number, number];
  const total = ((hours * 60 + minutes) * 60 + seconds) * 1000;
  return total === 0 ? undefined : (total as Milliseconds);
}
