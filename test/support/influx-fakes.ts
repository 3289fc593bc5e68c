/**
 * InfluxDB 2 and 3 as their documentation describes the write endpoints, since neither can be installed here: strict about
 * what they take, and with an oracle of what they hold. Sources: the OpenAPI description of InfluxDB 2 OSS
 * (`POST /api/v2/write`) and the reference of `POST /api/v3/write_lp` of InfluxDB 3 Core.
 */
import { type ParsedLine, parseLine } from './line-parser.ts';
import { type Behaviour, type Received, type Receiver, type Reply, startReceiver } from './receiver.ts';

export interface FakeInflux extends Receiver {
  /** By series, time and field. */
  readonly points: ReadonlyMap<string, number | bigint>;
}

interface Judgement {
  readonly line: string;
  readonly number: number;
  readonly parsed?: ParsedLine;
  /** Why the line is not taken. */
  readonly fault?: string;
}

/** The fields that were ever written, with the type that each keeps for ever. */
class Shelf {
  readonly points = new Map<string, number | bigint>();
  readonly #types = new Map<string, 'integer' | 'float'>();

  judge(lines: readonly string[]): readonly Judgement[] {
    return lines.map((line, index) => {
      try {
        const parsed = parseLine(line);
        const fault = this.#conflict(parsed);
        return { line, number: index + 1, parsed, ...(fault !== undefined && { fault }) };
      } catch (thrown) {
        return { line, number: index + 1, fault: thrown instanceof Error ? thrown.message : 'bad' };
      }
    });
  }

  store({ parsed }: Judgement): void {
    if (!parsed) return;
    const tags = Object.entries(parsed.tags).map(([name, value]) => `${name}=${value}`);
    for (const [field, value] of Object.entries(parsed.fields)) {
      this.#types.set(`${parsed.measurement}.${field}`, typeof value === 'bigint' ? 'integer' : 'float');
      this.points.set([parsed.measurement, ...tags, parsed.timestamp, field].join(' '), value);
    }
  }

  #conflict({ measurement, fields }: ParsedLine): string | undefined {
    for (const [field, value] of Object.entries(fields)) {
      const known = this.#types.get(`${measurement}.${field}`);
      const type = typeof value === 'bigint' ? 'integer' : 'float';
      if (known && known !== type) {
        return `field type conflict: input field "${field}" on measurement "${measurement}" is type ${type}, already exists as type ${known}`;
      }
    }
    return undefined;
  }
}

const json = (status: number, body: object): Reply => ({ status, body: JSON.stringify(body) });

async function start(behave: (shelf: Shelf) => Behaviour): Promise<FakeInflux> {
  const shelf = new Shelf();
  const receiver = await startReceiver(behave(shelf));
  return Object.assign(receiver, { points: shelf.points });
}

function faultOfRequest(
  { method, url, headers }: Received,
  path: string,
  query: Readonly<Record<string, string>>,
): string | undefined {
  const parsed = new URL(url, 'http://fake');
  if (method !== 'POST' || parsed.pathname !== path) return `no ${method} ${parsed.pathname}`;
  const given = Object.fromEntries(parsed.searchParams);
  if (JSON.stringify(given) !== JSON.stringify(query)) return `query ${JSON.stringify(given)}`;
  if (headers['content-encoding'] !== 'gzip') return 'not compressed';
  return headers['content-type']?.startsWith('text/plain') ? undefined : `content type ${headers['content-type']}`;
}

/** Refuses a batch as a whole for a line that it cannot parse, and takes the rest of one with a type conflict. */
export async function startInflux2(organization: string, bucket: string, token: string): Promise<FakeInflux> {
  return await start((shelf) => (request) => {
    const fault = faultOfRequest(request, '/api/v2/write', { org: organization, bucket, precision: 'ms' });
    if (fault?.startsWith('query')) return json(404, { code: 'not found', message: `bucket "${bucket}" not found` });
    if (fault !== undefined) return json(400, { code: 'invalid', message: fault });
    if (request.headers.authorization !== `Token ${token}`) {
      return json(401, { code: 'unauthorized', message: 'unauthorized access' });
    }
    const judged = shelf.judge(request.lines);
    const unparsed = judged.find(({ parsed }) => !parsed);
    if (unparsed)
      return json(400, { code: 'invalid', message: `unable to parse '${unparsed.line}': ${unparsed.fault}` });
    const good = judged.filter((each) => each.fault === undefined);
    for (const each of good) shelf.store(each);
    const bad = judged.find((each) => each.fault !== undefined);
    if (!bad) return { status: 204 };
    const dropped = judged.length - good.length;
    const message = `failure writing points to database: partial write: ${bad.fault} dropped=${dropped}`;
    return { ...json(422, { code: 'unprocessable entity', message }), stored: good.map(({ line }) => line) };
  });
}

/** Takes the good lines of any batch, and lists the others. */
export async function startInflux3(database: string, token: string): Promise<FakeInflux> {
  return await start((shelf) => (request) => {
    const query = { db: database, precision: 'millisecond', accept_partial: 'true', no_sync: 'false' };
    const fault = faultOfRequest(request, '/api/v3/write_lp', query);
    if (fault !== undefined) return json(400, { error: fault });
    if (request.headers.authorization !== `Bearer ${token}`) return { status: 401 };
    const judged = shelf.judge(request.lines);
    const good = judged.filter((each) => each.fault === undefined);
    for (const each of good) shelf.store(each);
    if (good.length === judged.length) return { status: 204 };
    const data = judged
      .filter((each) => each.fault !== undefined)
      .map(({ line, number, fault: message }) => ({
        original_line: line,
        line_number: number,
        error_message: message,
      }));
    const stored = good.map(({ line }) => line);
    return { ...json(400, { error: 'partial write of line protocol occurred', data }), stored };
  });
}
