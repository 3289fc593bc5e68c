/** T5: what receivers and the things in between answer, and that no point is lost, doubled or uncounted by it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openInfluxSink } from '#daemon/sinks/influx.ts';
import type { OutputStatus, SpooledOutput } from '#daemon/spool/spooled-sink.ts';
import { observation, reading } from '../../support/observations.ts';
import { influxSettings } from '../../support/output-settings.ts';
import { freePort } from '../../support/process.ts';
import { type Behaviour, certificate, type Reply, startReceiver } from '../../support/receiver.ts';
import { type RecordedLine, recordingLogger } from '../../support/recording-logger.ts';
import { scaledClock } from '../../support/scaled-clock.ts';
import { missing, openTestSpool, type TestSpool } from '../../support/spool.ts';

/** A busy machine takes its time. */
const SOON = { timeout: 15_000 };

/** Back-offs of seconds and the minute for which an output is held pass this many times as fast. */
const FASTER = 400;

interface Scene {
  readonly sink: SpooledOutput;
  readonly log: { readonly lines: readonly RecordedLine[] };
}

const clock = scaledClock(FASTER);
let shared: TestSpool;
let outputs = 0;
beforeAll(async () => {
  shared = await openTestSpool({ directory: await mkdtemp(join(tmpdir(), 'siteward-')), clock });
});
afterAll(async () => {
  await shared.store.close();
  await rm(shared.directory, { recursive: true });
});

/** An output of its own in the shared spool. Where no test is about it, no deadline passes. */
async function openScene(url: string, settings: Record<string, unknown> = {}): Promise<Scene> {
  const log = recordingLogger();
  outputs += 1;
  const sink = await openInfluxSink({
    settings: influxSettings({ create_database: false, timeout: '5m', name: `output-${outputs}`, ...settings, url }),
    site: { id: 'acme-hq', client: 'ACME Ltd' },
    spool: shared.spool,
    log,
    clock,
  });
  onTestFinished(() => sink.close());
  return { sink, log };
}

/** `count` lines, of which those named in `bad` carry the tag value POISON. */
function produce(sink: SpooledOutput, count: number, bad: readonly number[] = []): void {
  const readings = Array.from({ length: count }, (_, index) =>
    reading('siteward_interface_up', 1, { interface: bad.includes(index) ? `POISON-${index}` : `Gi0/${index}` }),
  );
  sink.accept(observation('sw-1', Date.now(), readings));
}

async function settled(sink: SpooledOutput): Promise<OutputStatus> {
  await expect
    .poll(() => ({ pending: sink.status().pending, missing: missing(sink) }), { timeout: 20_000, interval: 10 })
    .toEqual({ pending: 0, missing: 0 });
  return sink.status();
}

const poisoned = (lines: readonly string[]): string[] => lines.filter((line) => line.includes('POISON'));
const good = (lines: readonly string[]): string[] => lines.filter((line) => !line.includes('POISON'));
const OK: Reply = { status: 204 };
const json = (status: number, body: object): Reply => ({ status, body: JSON.stringify(body) });

/** Each is what the first requests meet; all later ones are answered 204. */
const PASSING: Readonly<Record<string, readonly Reply[]>> = {
  '204 at once': [],
  '429 without a wait': [{ status: 429 }],
  '429 with Retry-After 0': [{ status: 429, headers: { 'retry-after': '0' } }],
  '429 with Retry-After 30': [{ status: 429, headers: { 'retry-after': '30' } }],
  '429 with a date': [{ status: 429, headers: { 'retry-after': new Date(Date.now() + 20_000).toUTCString() } }],
  '429 with Retry-After abc': [{ status: 429, headers: { 'retry-after': 'abc' } }],
  '500 without a word': [{ status: 500 }],
  '500 with an engine fault': [json(500, { error: 'engine: cannot write to WAL' })],
  '502 from a proxy': [{ status: 502, body: '<html>Bad Gateway</html>' }],
  '503 with Retry-After': [{ status: 503, headers: { 'retry-after': '2' } }],
  '504 twice': [{ status: 504 }, { status: 504 }],
  '408': [{ status: 408 }],
  'a connection closed without an answer': [{ close: 'at-once' }],
  'a connection closed after the headers': [{ close: 'after-headers' }],
  'silence past the deadline': [{ hang: 'silent' }],
  'headers and then nothing': [{ hang: 'after-headers' }],
  'a body that drips': [{ hang: 'dripping' }],
  'something that is no HTTP': [{ garbage: 'SSH-2.0-OpenSSH_9.6\r\n' }],
  'an error of ten megabytes': [{ status: 500, body: Buffer.alloc(10_000_000, 'x') }],
  '415 for a compressed body': [{ status: 415 }],
  '400 for a compressed body': [json(400, { error: 'gzip: unsupported' })],
};

describe('what passes by itself', () => {
  test.each(Object.entries(PASSING))('%s: all points come, once', async (_, replies) => {
    const receiver = await startReceiver((_request, turn) => replies[turn] ?? OK);
    const { sink } = await openScene(receiver.url);

    produce(sink, 100);
    const status = await settled(sink);

    expect(new Set(receiver.stored).size).toBe(100);
    expect(status).toMatchObject({ written: 100, quarantined: 0, rejected: 0 });
    expect(receiver.requests.length).toBe(replies.length + 1);
  });

  test.each([
    ['connection is closed', { close: 'at-once' }],
    ['answer is cut', { close: 'after-headers' }],
    ['answer never ends', { hang: 'after-headers' }],
  ] as const)('stored, but the %s: the same bytes are sent again', async (_, reply) => {
    const receiver = await startReceiver(({ lines }, turn) => (turn === 0 ? { ...reply, stored: lines } : OK));
    const { sink } = await openScene(receiver.url);

    produce(sink, 50);
    await settled(sink);

    expect(receiver.stored.length).toBe(100);
    expect(new Set(receiver.stored).size).toBe(50);
    expect(receiver.requests[1]?.body).toEqual(receiver.requests[0]?.body);
  });

  test('a Retry-After of thirty years is obeyed for ten minutes', async () => {
    const receiver = await startReceiver((_, turn) =>
      turn === 0 ? { status: 429, headers: { 'retry-after': '1000000000' } } : OK,
    );
    const { sink } = await openScene(receiver.url);
    const began = performance.now();

    produce(sink, 10);
    await settled(sink);

    const waited = (performance.now() - began) * FASTER;
    expect(waited).toBeGreaterThan(595_000);
    expect(waited).toBeLessThan(900_000);
  });

  test('nobody listens, then somebody does', async () => {
    const port = await freePort();
    const { sink, log } = await openScene(`http://127.0.0.1:${port}`);
    produce(sink, 10);
    await expect.poll(() => sink.status().delivery.kind, SOON).toBe('unavailable');

    const receiver = await startReceiver(() => OK, { port });
    await settled(sink);

    expect(receiver.stored.length).toBe(10);
    await expect.poll(() => log.lines.map(({ level }) => level), SOON).toEqual(['warn', 'info']);
  });

  test('a name that cannot be resolved is waited for', async () => {
    const { sink } = await openScene('http://no-such-host.invalid:8086');

    produce(sink, 10);

    await expect
      .poll(() => sink.status().delivery, SOON)
      .toMatchObject({ kind: 'unavailable', message: /ENOTFOUND|EAI_AGAIN/ });
    expect(sink.status()).toMatchObject({ pending: 10 });
  });

  test('a black hole that accepts connections and takes nothing is left at the deadline', async () => {
    const hole = createServer((socket) => socket.pause().on('error', () => {}));
    await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void hole.close());
    const address = hole.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const { sink } = await openScene(`http://127.0.0.1:${port}`, { timeout: '5s' });

    produce(sink, 10);

    await expect
      .poll(() => sink.status().delivery, SOON)
      .toMatchObject({ kind: 'unavailable', message: /within 5000 ms/ });
    expect(sink.status()).toMatchObject({ pending: 10 });
  });
});

describe('what someone must put right', () => {
  const faults: Readonly<Record<string, Reply>> = {
    '401': json(401, { error: 'authorization failed' }),
    '403': { status: 403 },
    '404 database not found': json(404, { error: 'database not found: "siteward"' }),
    '404 of a page that is not there': { status: 404, body: '<html>' },
    '405': { status: 405 },
    '500 retention policy not found': json(500, { error: 'retention policy not found: autogen' }),
    '301 to another host': { status: 301, headers: { location: 'http://127.0.0.1:1/write' } },
    '307 to another host': { status: 307, headers: { location: 'http://127.0.0.1:1/write' } },
    '200 with a page': { status: 200, body: '<html>Welcome to the hotel</html>' },
    '200 without a word': { status: 200 },
  };

  test.each(Object.entries(faults))('%s: all is held and said, nothing is lost', async (_, fault) => {
    let right = false;
    const receiver = await startReceiver(
      ({ lines }) => (right ? OK : { ...fault, stored: [] as string[], lines }) as Reply,
    );
    const { sink, log } = await openScene(receiver.url, { token: 'S3CRET' });
    produce(sink, 20);
    await expect.poll(() => sink.status().delivery.kind, SOON).toBe('held');
    const held = sink.status();
    right = true;
    const status = await settled(sink);

    expect(held).toMatchObject({ pending: 20, written: 0, delivery: { hint: /./ } });
    expect(status).toMatchObject({ written: 20 });
    await expect.poll(() => log.lines.map(({ level }) => level), SOON).toEqual(['error', 'info']);
    expect(JSON.stringify(log.lines)).not.toContain('S3CRET');
  });

  test.each([
    ['expired', 'expired', 'ca.pem'],
    ['for another name', 'elsewhere', 'ca.pem'],
    ['of an unknown authority', 'server', undefined],
  ] as const)('a certificate %s: held, and not a byte is sent', async (_, tls, ca) => {
    const receiver = await startReceiver(() => OK, { tls });
    const { sink } = await openScene(receiver.url, ca ? { ca: certificate(ca) } : {});

    produce(sink, 5);

    await expect.poll(() => sink.status().delivery, SOON).toMatchObject({ kind: 'held', message: /TLS/ });
    expect(receiver.requests).toEqual([]);
    expect(sink.status()).toMatchObject({ pending: 5 });
  });

  test('the token never follows a redirect', async () => {
    const stranger = await startReceiver(() => OK);
    const receiver = await startReceiver(() => ({ status: 308, headers: { location: `${stranger.url}/write` } }));
    const { sink } = await openScene(receiver.url, { token: 'S3CRET' });

    produce(sink, 5);
    await expect.poll(() => sink.status().delivery.kind, SOON).toBe('held');

    expect(stranger.requests).toEqual([]);
    expect(receiver.requests[0]?.headers.authorization).toBe('Token S3CRET');
  });
});

describe('TLS and proxies', () => {
  test('an own authority and a client certificate', async () => {
    const receiver = await startReceiver(() => OK, { tls: 'server', clientCertificates: true });
    const { sink } = await openScene(receiver.url, {
      ca: certificate('ca.pem'),
      certificate: certificate('client.pem'),
      key: certificate('client.key'),
    });

    produce(sink, 5);
    await settled(sink);

    expect(receiver.stored.length).toBe(5);
  });

  test('through a proxy', async () => {
    const proxy = await startReceiver(() => OK);
    const { sink } = await openScene('http://influx.example:8086', { proxy: proxy.url });

    produce(sink, 5);
    await settled(sink);

    expect(proxy.requests[0]?.url).toBe('http://influx.example:8086/write?db=siteward&precision=ms');
  });
});

describe('points that are refused', () => {
  /** Refuses every request with a poisoned line, as `refusal` says it. */
  const refusing =
    (refusal: (request: { lines: readonly string[] }) => Reply): Behaviour =>
    ({ lines }) =>
      poisoned(lines).length > 0 ? refusal({ lines }) : OK;

  test('one of 5,000, not named, costs at most 26 more requests and one quarantined line', async () => {
    const receiver = await startReceiver(refusing(() => json(400, { error: 'something is wrong' })));
    const { sink } = await openScene(receiver.url);

    produce(sink, 5000, [3210]);
    const status = await settled(sink);

    expect(receiver.requests.length).toBeLessThanOrEqual(1 + 26);
    expect(status).toMatchObject({ written: 4999, quarantined: 1, rejected: 1 });
    expect(new Set(receiver.stored).size).toBe(4999);
  });

  test('one of 5,000, quoted by InfluxDB 1, costs no request', async () => {
    const receiver = await startReceiver(
      refusing(({ lines }) => ({
        ...json(400, { error: `partial write: unable to parse '${poisoned(lines)[0]}': bad dropped=0` }),
        stored: good(lines),
      })),
    );
    const { sink } = await openScene(receiver.url);

    produce(sink, 5000, [17]);
    const status = await settled(sink);

    expect(receiver.requests.length).toBe(1);
    expect(status).toMatchObject({ written: 4999, quarantined: 1 });
  });

  test('named by InfluxDB 2 with all others unwritten, these are sent again', async () => {
    const receiver = await startReceiver(
      refusing(({ lines }) =>
        json(400, { code: 'invalid', message: `unable to parse '${poisoned(lines)[0]}': missing field value` }),
      ),
    );
    const { sink } = await openScene(receiver.url, { dialect: 'influx2', organization: 'acme', token: 't' });

    produce(sink, 100, [5, 50]);
    const status = await settled(sink);

    expect(receiver.requests.length).toBe(3);
    expect(status).toMatchObject({ written: 98, quarantined: 2 });
  });

  test('listed by number by InfluxDB 3, the others are stored', async () => {
    const receiver = await startReceiver(
      refusing(({ lines }) => ({
        ...json(400, {
          error: 'partial write of line protocol occurred',
          data: lines.flatMap((line, index) =>
            line.includes('POISON') ? [{ original_line: line, line_number: index + 1, error_message: 'bad' }] : [],
          ),
        }),
        stored: good(lines),
      })),
    );
    const { sink } = await openScene(receiver.url, { dialect: 'influx3', token: 't' });

    produce(sink, 100, [0, 99]);
    const status = await settled(sink);

    expect(receiver.requests.length).toBe(1);
    expect(status).toMatchObject({ written: 98, quarantined: 2 });
  });

  test.each([
    ['influx1', 500, 'partial write: field type conflict: input field "up" on measurement "interface" is type string'],
    ['influx2', 422, 'failure writing points to database: partial write: field type conflict dropped=1'],
    ['influx2', 500, 'unexpected error writing points: field type conflict'],
  ])('a type conflict as %s says it with %i is not waited for', async (dialect, code, message) => {
    const receiver = await startReceiver(refusing(() => json(code, { code: 'x', message, error: message })));
    const { sink } = await openScene(receiver.url, { dialect });

    produce(sink, 64, [40]);
    const status = await settled(sink);

    expect(status).toMatchObject({ written: 63, quarantined: 1 });
  });

  test('beyond retention: counted as dropped, by their number', async () => {
    const error = 'partial write: points beyond retention policy dropped=30';
    const receiver = await startReceiver(({ lines }) => ({ ...json(400, { error }), stored: lines.slice(30) }));
    const { sink } = await openScene(receiver.url);

    produce(sink, 100);
    const status = await settled(sink);

    expect(status).toMatchObject({ written: 70, quarantined: 0, rejected: 30, dropped: { beyond_retention: 30 } });
  });

  test('beyond retention as an internal error: found by halving, dropped, not quarantined', async () => {
    const receiver = await startReceiver(refusing(() => json(500, { error: 'points beyond retention policy' })));
    const { sink } = await openScene(receiver.url);

    produce(sink, 32, [3]);
    const status = await settled(sink);

    expect(status).toMatchObject({ written: 31, quarantined: 0, dropped: { beyond_retention: 1 } });
  });

  test('all of them: the search has an end, and what is not told apart is quarantined together', async () => {
    const receiver = await startReceiver(() => json(400, { error: 'no' }));
    const { sink } = await openScene(receiver.url);

    produce(sink, 2000);
    const status = await settled(sink);

    expect(receiver.requests.length).toBeLessThan(500);
    expect(status).toMatchObject({ written: 0, quarantined: 2000 });
  });

  test('413: smaller requests from then on', async () => {
    const receiver = await startReceiver(({ lines }) => (lines.length > 400 ? { status: 413 } : OK));
    const { sink } = await openScene(receiver.url);
    produce(sink, 3000);
    await settled(sink);
    const first = receiver.requests.length;

    produce(sink, 3000);
    await settled(sink);

    expect(new Set(receiver.stored).size).toBe(6000);
    expect(receiver.requests.slice(first).every(({ lines }) => lines.length <= 400)).toBe(true);
  });

  test('an outage in the middle of the search keeps what was found and the rest', async () => {
    const receiver = await startReceiver(({ lines }, turn) => {
      if (turn === 5) return { status: 503 };
      return poisoned(lines).length > 0 ? json(400, { error: 'no' }) : OK;
    });
    const { sink } = await openScene(receiver.url);

    produce(sink, 1000, [100, 700]);
    const status = await settled(sink);

    expect(status).toMatchObject({ written: 998, quarantined: 2 });
    expect(new Set(receiver.stored).size).toBe(998);
  });
});
