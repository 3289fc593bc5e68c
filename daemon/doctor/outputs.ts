/** Is every output reachable, authorised, writable, and does it keep what it is given? */
import type { Clock, Milliseconds } from '#collectors/contract.ts';
import type { LoadedConfig } from '#config/load.ts';
import type { InfluxOutputSettings } from '#config/schema.ts';
import { InfluxAdmin } from '../influx/admin.ts';
import { influxDialect } from '../influx/dialects.ts';
import { remoteWriteDialect } from '../remote-write/dialect.ts';
import type { Dialect } from '../spool/dialect.ts';
import { type Answer, Transport } from '../spool/transport.ts';
import { type Finding, fault, good, messageOf, warning } from './finding.ts';

const PATIENCE = 10_000 as Milliseconds;
/** A clock further off than this makes points look late or from the future. */
const CLOCKS_APART = 30_000;

export async function checkOutputs({ config }: LoadedConfig, clock: Clock): Promise<Finding[]> {
  const { influx, remote_write } = config.outputs;
  const now = () => clock.wallNow();
  const found = await Promise.all([
    ...influx.map(async (settings) => {
      const check = `output ${settings.name}`;
      const { findings, transport } = await asked(check, new Transport(settings), influxDialect(settings, now), clock);
      const more = findings.some(({ state }) => state === 'fault')
        ? []
        : await keeping(check, settings, transport, clock);
      transport.close();
      return [...findings, ...more];
    }),
    ...remote_write.map(async (settings) => {
      const { findings, transport } = await asked(
        `output ${settings.name}`,
        new Transport(settings),
        remoteWriteDialect(settings, now),
        clock,
      );
      transport.close();
      return findings;
    }),
  ]);
  return found.flat();
}

/** Writes nothing, as a write: what the receiver says to that tells whether it would take something. */
async function asked(
  check: string,
  transport: Transport,
  dialect: Dialect,
  clock: Clock,
): Promise<{ findings: Finding[]; transport: Transport }> {
  let answer: Answer;
  try {
    answer = await transport.exchange(
      { method: 'POST', path: dialect.path, headers: dialect.headers(), body: new Uint8Array() },
      clock.timeout(PATIENCE),
    );
  } catch (error) {
    return {
      transport,
      findings: [
        fault(
          check,
          `does not answer: ${messageOf(error)}`,
          'check its URL, its firewall and this machine’s route; until then everything waits in the spool',
        ),
      ],
    };
  }
  const findings = [spoken(check, answer), ...apart(check, answer, clock)];
  return { transport, findings };
}

function spoken(check: string, { status, body }: Answer): Finding {
  const words = body.trim().slice(0, 200);
  if (status === 401 || status === 403)
    return fault(check, `refuses the login (${status}) ${words}`, 'correct token, user or password of this output');
  if (status === 404)
    return fault(
      check,
      `does not know what is written to (404) ${words}`,
      'make the database, bucket or tenant there, or correct url and database',
    );
  if (status >= 300 && status < 400)
    return fault(check, `sends elsewhere (${status}), which is never followed`, 'write the final URL');
  if (status >= 500) return fault(check, `fails (${status}) ${words}`, 'look into the log of the receiver');
  return good(check, `reachable and authorised (${status})`);
}

function apart(check: string, { headers }: Answer, clock: Clock): Finding[] {
  const theirs = Date.parse(headers.date ?? '');
  const difference = Math.abs(theirs - clock.wallNow());
  if (!(difference > CLOCKS_APART)) return [];
  return [
    warning(check, `its clock is ${Math.round(difference / 1000)} s from ours`, 'run an NTP client on both machines'),
  ];
}

/** What is asked of each kind of receiver about its keeping. */
async function keeping(
  check: string,
  settings: InfluxOutputSettings,
  transport: Transport,
  clock: Clock,
): Promise<Finding[]> {
  try {
    if (settings.dialect === 'influx1') return await influxOne(check, settings, clock);
    if (settings.dialect === 'victoriametrics') return await victoria(check, transport, clock);
    return [];
  } catch (error) {
    return [
      warning(
        check,
        `cannot be asked about what it keeps: ${messageOf(error)}`,
        'give its user the right to read, or check retention by hand',
      ),
    ];
  }
}

async function influxOne(check: string, settings: InfluxOutputSettings, clock: Clock): Promise<Finding[]> {
  const admin = new InfluxAdmin(settings, clock);
  const signal = clock.timeout(PATIENCE);
  const version = await admin.ping(signal);
  if (!(await admin.databases(signal)).includes(settings.database)) {
    if (settings.create_database)
      return [good(check, `InfluxDB ${version}; database ${settings.database} will be made with the first points`)];
    return [
      fault(
        check,
        `has no database ${settings.database}`,
        `make it (CREATE DATABASE ${settings.database}), or write create_database: true`,
      ),
    ];
  }
  const policy = (await admin.policies(signal)).find(({ name, isDefault }) =>
    settings.retention_policy === undefined ? isDefault : name === settings.retention_policy,
  );
  if (!policy)
    return [
      fault(check, `has no retention policy ${settings.retention_policy}`, 'make it, or leave retention_policy out'),
    ];
  if (policy.duration !== undefined && policy.duration > 0 && policy.duration < settings.max_age) {
    return [
      warning(
        check,
        `keeps points for ${Math.round(policy.duration / 86_400_000)} days, less than the spool holds them`,
        'set max_age below the retention: what comes later is refused',
      ),
    ];
  }
  const [row] = await admin.query('SELECT * FROM availability ORDER BY time DESC LIMIT 1', {}, signal);
  return [good(check, `InfluxDB ${version}; ${row ? 'reads back what was written' : 'nothing written yet'}`)];
}

async function victoria(check: string, transport: Transport, clock: Clock): Promise<Finding[]> {
  const get = async (path: string) => (await transport.exchange({ method: 'GET', path }, clock.timeout(PATIENCE))).body;
  const flags = await get('/flags');
  const findings: Finding[] = [];
  if (!/dedup\.minScrapeInterval="?(?!0s?"?$)[1-9]/m.test(flags))
    findings.push(
      warning(
        check,
        'keeps a sample that is delivered twice as two',
        'start VictoriaMetrics with -dedup.minScrapeInterval=1ms',
      ),
    );
  const metrics = await get('/metrics');
  const refused = Number(/^vm_rows_invalid_total\{type="influx"\}\s+(\d+)/m.exec(metrics)?.[1] ?? 0);
  if (refused > 0)
    findings.push(
      warning(
        check,
        `has thrown away ${refused} lines since it started, while saying it took them`,
        'look into its log for "cannot unmarshal"',
      ),
    );
  return findings.length > 0 ? findings : [good(check, 'VictoriaMetrics, deduplicating')];
}
