import type { InfluxOutputSettings } from '#config/schema.ts';
import { gzip } from '#daemon/spool/compression.ts';
import { commonVerdict, type Dialect, type EncodedBody, excerpt, type Verdict } from '#daemon/spool/dialect.ts';
import { LINES } from '#daemon/spool/records.ts';
import type { Answer } from '#daemon/spool/transport.ts';
import { influxOneRefusal, influxThreeRefusal } from './refusals.ts';

type DialectName = InfluxOutputSettings['dialect'];

/** How each receiver writes seconds and milliseconds. InfluxDB 1 reads `us` as nanoseconds and says nothing: never sent. */
const PRECISIONS: Readonly<Record<DialectName, Readonly<Record<'s' | 'ms', string>>>> = {
  influx1: { s: 's', ms: 'ms' },
  influx2: { s: 's', ms: 'ms' },
  influx3: { s: 'second', ms: 'millisecond' },
  victoriametrics: { s: 's', ms: 'ms' },
};

/** Line protocol over HTTP, as one of four receivers wants it. `now` gives Retry-After dates their meaning. */
export function influxDialect(settings: InfluxOutputSettings, now: () => number): Dialect {
  return {
    name: settings.dialect,
    format: LINES,
    path: writePath(settings),
    headers: () => authorization(settings),
    encode: encodeBody,
    verdict: (answer, records) => influxVerdict(settings.dialect, answer, records, now()),
  };
}

export function writePath(settings: InfluxOutputSettings): string {
  const { dialect, database, retention_policy: policy, organization, tenant } = settings;
  const precision = PRECISIONS[dialect][settings.precision];
  switch (dialect) {
    case 'influx1':
      return `/write?${new URLSearchParams({ db: database, ...(policy && { rp: policy }), precision })}`;
    case 'influx2':
      return `/api/v2/write?${new URLSearchParams({ ...(organization && { org: organization }), bucket: database, precision })}`;
    case 'influx3': {
      // Acknowledged only when it is in the write-ahead log there, and good lines are kept when others are bad.
      const query = { db: database, precision, accept_partial: 'true', no_sync: 'false' };
      return `/api/v3/write_lp?${new URLSearchParams(query)}`;
    }
    case 'victoriametrics': {
      const prefix = tenant === undefined ? '' : `/insert/${encodeURIComponent(tenant)}/influx`;
      return `${prefix}/write?${new URLSearchParams({ db: database, precision })}`;
    }
    default:
      return dialect satisfies never;
  }
}

/** As each receiver wants it: `Token`, `Bearer`, or Basic with user and password. */
export function authorization({
  dialect,
  token,
  user,
  password,
}: InfluxOutputSettings): Readonly<Record<string, string>> {
  if (token) {
    // The 1.x paths of InfluxDB 2 and of its cloud know `Token` too.
    const scheme = dialect === 'influx1' || dialect === 'influx2' ? 'Token' : 'Bearer';
    return { authorization: `${scheme} ${token.reveal()}` };
  }
  if (user === undefined) return {};
  const pair = `${user}:${password?.reveal() ?? ''}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

async function encodeBody(raw: Uint8Array, gzipped: Uint8Array | undefined, compressed: boolean): Promise<EncodedBody> {
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  if (!compressed) return { body: raw, headers };
  return { body: gzipped ?? (await gzip(raw, 1)), headers: { ...headers, 'content-encoding': 'gzip' } };
}

/** What the answer says about the lines. `records` are the lines as they were sent. */
export function influxVerdict(
  dialect: DialectName,
  answer: Answer,
  records: readonly Uint8Array[],
  now: number,
): Verdict {
  const { status, body } = answer;
  if (status === 204) return { kind: 'written' };
  if (status >= 200 && status < 300) {
    return {
      kind: 'held',
      message: `it answers ${status}${body.trim() === '' ? '' : `: ${excerpt(body)}`}, a write is answered by 204`,
      hint: 'check url: something else than the database answers there, a portal or a proxy perhaps',
    };
  }
  const message = messageOf(body) ?? `status ${status}`;
  if (status >= 400 && /retention policy not found|database not found|bucket.*not found/i.test(message)) {
    return { kind: 'held', message, hint: 'make the database, bucket or retention policy, or correct its name' };
  }
  if (status === 400 && /gzip|content-encoding/i.test(message)) return { kind: 'uncompressed', message };
  if (status === 400 || status === 422 || (status === 500 && isRefusal(message))) {
    return dialect === 'influx3' ? influxThreeRefusal(body, message, records) : influxOneRefusal(message, records);
  }
  return commonVerdict({ ...answer, body: message }, now) ?? { kind: 'refused', message };
}

/** InfluxDB 2 has called bad points an internal error (influxdb issue 17953): then waiting would be for ever. */
function isRefusal(message: string): boolean {
  return /field type conflict|beyond retention|unable to parse|partial write|outside.*retention/i.test(message);
}

function messageOf(body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    if ('message' in parsed && typeof parsed.message === 'string') return parsed.message;
    if ('error' in parsed && typeof parsed.error === 'string') return parsed.error;
    return undefined;
  } catch {
    return body.trim() === '' ? undefined : body;
  }
}
