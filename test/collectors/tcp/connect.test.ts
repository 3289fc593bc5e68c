import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Observation, Target } from '#collectors/contract.ts';
import { createTcpCollector } from '#collectors/tcp/collector.ts';
import { systemClock } from '#daemon/clock.ts';
import {
  aliveAddress,
  DEAD_IPV6,
  deadAddress,
  type Namespaces,
  openNamespaces,
  ROUTELESS_ADDRESS,
} from '../../support/namespace.ts';
import { target } from '../../support/targets.ts';

const collector = createTcpCollector();

async function listen(host: string): Promise<{ port: number; server: Server }> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, server };
}

/** A port of loopback on which nothing listens. */
async function closedPort(host: string): Promise<number> {
  const { port, server } = await listen(host);
  server.close();
  await once(server, 'close');
  return port;
}

async function collect(...targets: Target[]): Promise<readonly Observation[]> {
  return await collector.collect('alive', targets, { clock: systemClock, signal: AbortSignal.timeout(20_000) });
}

describe.each(['127.0.0.1', '::1'])('on %s', (host) => {
  test('a device is there when all its ports accept', async () => {
    const [first, second] = [await listen(host), await listen(host)];

    const [observation] = await collect(target('web', host, { tcpPorts: [first.port, second.port] }));

    expect(observation).toMatchObject({ evidence: { kind: 'answered' }, problems: [], requests: 2, timeouts: 0 });
  });

  test('a closed port is silence, and the problem says that the host is there', async () => {
    const [open, closed] = [await listen(host), await closedPort(host)];

    const [observation] = await collect(target('web', host, { tcpPorts: [open.port, closed] }));

    expect(observation?.evidence).toEqual({ kind: 'silent' });
    expect(observation?.problems).toMatchObject([
      { code: 'TCP_PORT_CLOSED', message: expect.stringContaining('is there') },
    ]);
  });
});

test('the connection is closed at once and nothing is sent', async () => {
  const { port, server } = await listen('127.0.0.1');
  const accepted = once(server, 'connection');

  await collect(target('web', '127.0.0.1', { tcpPorts: [port] }));

  const [socket] = await accepted;
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  await once(socket, 'close');
  expect(received).toEqual([]);
});

test('without ports or without an address nothing can be told', async () => {
  const observations = await collect(target('a', '127.0.0.1'), target('b', 'printer.example', { tcpPorts: [80] }));

  expect(observations.map(({ evidence }) => evidence.kind)).toEqual(['could-not-tell', 'could-not-tell']);
});

test('a check that is broken off tells nothing', async () => {
  const { port } = await listen('127.0.0.1');
  const context = { clock: systemClock, signal: AbortSignal.abort() };

  const [observation] = await collector.collect('alive', [target('web', '127.0.0.1', { tcpPorts: [port] })], context);

  expect(observation).toMatchObject({ evidence: { kind: 'could-not-tell' }, problems: [{ code: 'TCP_INTERRUPTED' }] });
});

describe('over a network', () => {
  const SCRIPT = new URL('../../support/collect-inside.ts', import.meta.url).pathname;
  let namespaces: Namespaces;
  beforeAll(async () => {
    namespaces = await openNamespaces();
  }, 30_000);
  afterAll(async () => {
    await namespaces?.close();
  });

  async function collectInside(targets: readonly Target[], before = ':'): Promise<Observation[]> {
    const order = JSON.stringify({ collector: 'tcp', targets, haste: 4 });
    const shell = ['-c', `${before}; exec "$0" "$1"`, process.execPath, SCRIPT];
    const { code, stdout, stderr } = await namespaces.near('sh', shell, order);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as Observation[];
  }

  test('refused, silent and unreachable are told apart', async () => {
    const observations = await collectInside([
      target('refuses', aliveAddress(1), { tcpPorts: [443] }),
      target('dead', deadAddress(1), { tcpPorts: [443] }),
      target('dead-6', DEAD_IPV6, { tcpPorts: [443] }),
      target('elsewhere', ROUTELESS_ADDRESS, { tcpPorts: [443] }),
    ]);

    expect(observations.map(({ device, evidence, problems }) => [device, evidence.kind, problems[0]?.code])).toEqual([
      ['refuses', 'silent', 'TCP_PORT_CLOSED'],
      ['dead', 'silent', 'TCP_NO_ANSWER'],
      ['dead-6', 'silent', 'TCP_NO_ANSWER'],
      ['elsewhere', 'could-not-tell', 'TCP_NO_WAY'],
    ]);
  });

  test('running out of files or of local ports is no evidence against a device', async () => {
    const many = Array.from({ length: 60 }, (_, n) => target(`${n}`, deadAddress(n), { tcpPorts: [443] }));
    const same = many.map((each) => ({ ...each, address: deadAddress(0) }));

    const files = await collectInside(many, 'ulimit -n 50');
    const ports = await collectInside(same, 'echo 40000 40009 >/proc/sys/net/ipv4/ip_local_port_range');

    expect(tally(files)).toEqual({ silent: expect.any(Number), TCP_NO_FILES: expect.any(Number) });
    expect(tally(ports)).toEqual({ silent: 10, TCP_NO_PORTS: 50 });
  });

  test('a pulled cable on our side is no evidence against what is behind it', async () => {
    await namespaces.far('ip', ['link', 'set', 'far', 'down']);

    const [observation] = await collectInside([target('web', aliveAddress(1), { tcpPorts: [443] })]);

    await namespaces.far('ip', ['link', 'set', 'far', 'up']);
    expect(observation).toMatchObject({ evidence: { kind: 'could-not-tell' }, problems: [{ code: 'OWN_LINK_DOWN' }] });
  });
});

function tally(observations: readonly Observation[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { evidence, problems } of observations) {
    const key = evidence.kind === 'could-not-tell' ? (problems[0]?.code ?? '?') : evidence.kind;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
