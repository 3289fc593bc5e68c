/** One question to an NTP server, as RFC 4330 asks it: how far is this clock from that one? Sets nothing. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import type { Clock, Milliseconds, WallTime } from '#collectors/contract.ts';

const PORT = 123;
const LENGTH = 48;
/** Version 4, client. */
const CLIENT = (4 << 3) | 3;
/** From 1900-01-01, where NTP begins to count, to 1970-01-01. */
const EPOCH_SECONDS = 2_208_988_800;
const ERA_SECONDS = 2 ** 32;

export interface TimeServer {
  readonly host: string;
  /** Left out: 123. */
  readonly port?: number;
}

export interface ClockOffset {
  /** By how much the server is ahead of this machine; negative where it is behind. */
  readonly offset: Milliseconds;
  /** Of the exchange: the offset is right to half of it. */
  readonly delay: Milliseconds;
  /** 1 has a clock of its own, 2 has the time from such a one, … */
  readonly stratum: number;
}

/** @throws when no answer comes before the signal, or one that tells no time. */
export async function askTime(server: TimeServer, clock: Clock, signal: AbortSignal): Promise<ClockOffset> {
  const { address, family } = await lookup(server.host);
  signal.throwIfAborted();
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  // Random in place of the time of sending: it is sent back, and nobody who does not see it can answer.
  const cookie = randomBytes(8);
  const request = Buffer.alloc(LENGTH);
  request[0] = CLIENT;
  cookie.copy(request, 40);
  try {
    return await new Promise<ClockOffset>((resolve, reject) => {
      const late = (): void => reject(new Error('no answer in time'));
      signal.addEventListener('abort', late, { once: true });
      socket.once('error', reject);
      // Connected: what anybody else sends is not received, and a closed port is heard of.
      socket.connect(server.port ?? PORT, address, () => {
        const sent = clock.wallNow();
        socket.on('message', (answer) => {
          const received = clock.wallNow();
          try {
            if (answer.length >= LENGTH && !answer.subarray(24, 32).equals(cookie)) return; // an older one's answer
            resolve(readAnswer(answer, sent, received));
          } catch (thrown) {
            reject(thrown);
          }
        });
        socket.send(request);
      });
    });
  } finally {
    socket.close();
  }
}

/** RFC 4330, section 5: what a client must find in an answer before it believes it, and what follows from it. */
export function readAnswer(answer: Buffer, sent: WallTime, received: WallTime): ClockOffset {
  if (answer.length < LENGTH) throw new Error(`an answer of ${answer.length} octets`);
  const [first = 0, stratum = 0] = answer;
  if ((first & 7) !== 4) throw new Error(`an answer of mode ${first & 7}`);
  if (stratum === 0) throw new Error(`it refuses: ${printable(answer.subarray(12, 16))}`);
  if (first >> 6 === 3 || stratum > 15) throw new Error('it does not know the time itself');
  if (answer.readBigUInt64BE(40) === 0n) throw new Error('an answer without a time');
  const [heard, answered] = [timestamp(answer, 32, received), timestamp(answer, 40, received)];
  return {
    offset: ((heard - sent + (answered - received)) / 2) as Milliseconds,
    delay: Math.max(0, received - sent - (answered - heard)) as Milliseconds,
    stratum,
  };
}

/** Milliseconds of Unix time. Seconds roll over every 136 years: the era is the one nearest to this clock. */
function timestamp(answer: Buffer, at: number, near: number): number {
  const seconds = answer.readUInt32BE(at) - EPOCH_SECONDS;
  const eras = Math.round((near / 1000 - seconds) / ERA_SECONDS);
  return (seconds + eras * ERA_SECONDS) * 1000 + (answer.readUInt32BE(at + 4) / ERA_SECONDS) * 1000;
}

const printable = (code: Uint8Array): string =>
  Buffer.from(code)
    .toString('latin1')
    .replaceAll(/[^A-Z]/g, '');
