/** A scrape of many pieces: one buffer serves them all, so none may be overwritten before it is on its way. */
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { SelfMetrics } from '#daemon/exposition/self.ts';
import { PrometheusSink } from '#daemon/sinks/prometheus.ts';
import { sendMetrics } from '#daemon/web/metrics-route.ts';
import { observation, reading } from '../../support/observations.ts';

const INTERFACES = 60_000;

function manySeries(): PrometheusSink {
  const sink = new PrometheusSink();
  for (const device of ['a', 'b', 'c', 'd'])
    sink.accept(
      observation(
        device,
        0,
        Array.from({ length: INTERFACES / 4 }, (_, index) =>
          reading('siteward_interface_receive_bytes_total', BigInt(index) * 7_919n, {
            interface: `${device}-${index}`,
          }),
        ),
      ),
    );
  return sink;
}

async function serve(): Promise<{ port: number; sink: PrometheusSink; ended: Promise<void>[] }> {
  const sink = manySeries();
  const self = new SelfMetrics('test', () => []);
  const ended: Promise<void>[] = [];
  const server = createServer((request, response) => {
    const gzip = request.headers['accept-encoding'] === 'gzip';
    ended.push(sendMetrics(response, { accept: '', gzip, filter: {} }, self, sink));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, sink, ended };
}

async function ask(port: number, encoding: string): Promise<IncomingMessage> {
  const request = get({ port, host: '127.0.0.1', path: '/metrics', headers: { 'accept-encoding': encoding } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

test.each(['identity', 'gzip'])('every piece reaches a slow reader as it was written (%s)', async (encoding) => {
  const { port, sink, ended } = await serve();
  const expected = Array.from(sink.render('text'), String).join('');
  expect(expected.length).toBeGreaterThan(3_000_000);

  const response = await ask(port, encoding);
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    if (chunks.length % 8 === 0) await wait(5);
  }
  const octets = Buffer.concat(chunks);
  const text = (encoding === 'gzip' ? gunzipSync(octets) : octets).toString();

  expect(text.startsWith(expected)).toBe(true);
  expect(text.slice(expected.length)).toContain('siteward_build_info');
  await Promise.all(ended);
});

test.each(['identity', 'gzip'])(
  'a reader that hangs up in the middle ends its scrape and no other (%s)',
  async (encoding) => {
    const { port, ended } = await serve();
    const leaving = await ask(port, encoding);
    await once(leaving, 'readable');
    leaving.destroy();
    await once(leaving, 'close');
    await Promise.all(ended);

    const staying = await ask(port, encoding);
    let length = 0;
    for await (const chunk of staying) length += (chunk as Buffer).length;
    expect(length).toBeGreaterThan(100_000);
    expect(ended).toHaveLength(2);
    await Promise.all(ended);
  },
);
