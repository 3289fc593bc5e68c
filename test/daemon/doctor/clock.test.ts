import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { systemClock } from '#daemon/clock.ts';
import { checkClock } from '#daemon/doctor/clock.ts';
import { readAnswer } from '#daemon/doctor/sntp.ts';
import { timeServers } from '#daemon/doctor/time-servers.ts';
import { temporaryFolder } from '../../support/folder.ts';

const NTP_EPOCH = 2_208_988_800;

function answer({ leap = 0, mode = 4, stratum = 2, code = '', at = 0 }): Buffer {
  const message = Buffer.alloc(48);
  message.set([(leap << 6) | (4 << 3) | mode, stratum]);
  message.write(code, 12, 'latin1');
  for (const offset of [32, 40]) message.writeUInt32BE((Math.floor(at / 1000) + NTP_EPOCH) % 2 ** 32, offset);
  return message;
}

test.each([
  ['in the first era', Date.UTC(2026, 10, 24)],
  ['in the era after 2036-02-07', Date.UTC(2040, 0, 1)],
])('%s the offset is half of what both ways differ', (_, at) => {
  const told = readAnswer(answer({ at: at + 5_000 }), at as WallTime, (at + 40) as WallTime);

  expect(told).toEqual({ offset: 4_980, delay: 40, stratum: 2 });
});

test('seconds that rolled over are read by the era of the server when this clock is just before it', () => {
  const rollover = (2 ** 32 - NTP_EPOCH) * 1000;

  const told = readAnswer(
    answer({ at: rollover + 1_000 }),
    (rollover - 1_000) as WallTime,
    (rollover - 1_000) as WallTime,
  );

  expect(told.offset).toBe(2_000);
});

test.each([
  ['of a server that asks to be left alone', { stratum: 0, code: 'RATE', at: 1 }, /RATE/],
  ['of a server without the time', { leap: 3, at: 1 }, /does not know/],
  ['of stratum 16', { stratum: 16, at: 1 }, /does not know/],
  ['that is a question', { mode: 3, at: 1 }, /mode 3/],
  ['with a time of zero', { at: -NTP_EPOCH * 1000 }, /without a time/],
])('an answer %s tells nothing', (_, fields, why) => {
  expect(() => readAnswer(answer(fields), 0 as WallTime, 0 as WallTime)).toThrow(why);
});

test('an answer that is cut short tells nothing', () => {
  expect(() => readAnswer(Buffer.alloc(47), 0 as WallTime, 0 as WallTime)).toThrow(/47 octets/);
});

async function machine(file: string, text: string): Promise<string> {
  const root = await temporaryFolder();
  await mkdir(join(root, file, '..'), { recursive: true });
  await writeFile(join(root, file), text);
  return root;
}

test.each([
  [
    'etc/chrony/chrony.conf',
    '# server a\npool 2.debian.pool.ntp.org iburst\nserver b iburst port 1123\n',
    [{ host: '2.debian.pool.ntp.org' }, { host: 'b', port: 1123 }],
  ],
  ['etc/chrony/sources.d/site.sources', 'server fw.example\n', [{ host: 'fw.example' }]],
  ['etc/ntp.conf', 'server 127.127.1.0\npool a.example\n', [{ host: 'a.example' }]],
  ['etc/openntpd/ntpd.conf', 'servers pool.example\n', [{ host: 'pool.example' }]],
  ['etc/systemd/timesyncd.conf', '[Time]\nNTP=a b\n#FallbackNTP=c\n', [{ host: 'a' }, { host: 'b' }]],
  ['etc/systemd/timesyncd.conf', '[Time]\n#NTP=\n#FallbackNTP=c d\n', [{ host: 'c' }, { host: 'd' }]],
  ['run/systemd/netif/state', 'OPER_STATE=routable\nNTP=192.0.2.1\n', [{ host: '192.0.2.1' }]],
])('%s says where this machine has its time from', async (file, text, servers) => {
  expect(await timeServers(await machine(file, text))).toEqual(servers);
});

async function startServer(answers: (request: Buffer, reply: (message: Buffer) => void, socket: Socket) => void) {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.on('message', (request, { port, address }) =>
    answers(request, (message) => socket.send(message, port, address), socket),
  );
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return await machine('etc/chrony.conf', `server 127.0.0.1 port ${socket.address().port}\n`);
}

test('what answers something else than was asked is not believed', async () => {
  const root = await startServer((request, reply) => {
    reply(answer({ at: Date.now() + 3_600_000 }));
    const right = answer({ at: Date.now() });
    request.copy(right, 24, 40, 48);
    reply(right);
  });

  expect(await checkClock(systemClock, root)).toMatchObject([{ state: 'good' }]);
});

test('servers that are silent leave it open, and that is no green', async () => {
  const root = await startServer(() => {});

  expect(await checkClock(systemClock, root)).toMatchObject([
    {
      state: 'warning',
      message: expect.stringMatching(/cannot be told.*127\.0\.0\.1: no answer/),
      advice: expect.stringContaining('UDP port 123'),
    },
  ]);
});

test('a port on which nobody listens is told at once', async () => {
  const root = await machine('etc/chrony.conf', 'server 127.0.0.1 port 1\n');

  expect(await checkClock(systemClock, root)).toMatchObject([
    { state: 'warning', message: expect.stringContaining('ECONNREFUSED') },
  ]);
});

test('some seconds are a warning', async () => {
  const root = await startServer((request, reply) => {
    const late = answer({ at: Date.now() - 5_000 });
    request.copy(late, 24, 40, 48);
    reply(late);
  });

  expect(await checkClock(systemClock, root)).toMatchObject([
    { state: 'warning', message: expect.stringMatching(/^is [56]\.\d s ahead of 127\.0\.0\.1$/) },
  ]);
});
