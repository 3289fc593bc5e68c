/** Is this machine's clock right? States are stamped with it, and an SLA is cut by it. */
import type { Clock, Milliseconds } from '#collectors/contract.ts';
import { type Finding, fault, good, messageOf, warning } from './finding.ts';
import { askTime, type ClockOffset, type TimeServer } from './sntp.ts';
import { timeServers } from './time-servers.ts';

const CHECK = 'clock';
const PATIENCE = 3_000 as Milliseconds;
/** A pool may name many: some of them are enough. */
const MOST_ASKED = 4;
/** Above this the edges of outages are off by more than polling makes them. */
const OFF = 1_000;
/** Above this receivers see points of the future, or late ones. */
const FAR_OFF = 30_000;

export async function checkClock(clock: Clock, root = '/'): Promise<Finding[]> {
  const servers = (await timeServers(root)).slice(0, MOST_ASKED);
  if (servers.length === 0) {
    return [
      cannotTell(
        'no NTP server is named on this machine',
        'let something keep its clock, for example: apt-get install chrony',
      ),
    ];
  }
  const answers = await Promise.all(
    servers.map(async (server) => {
      try {
        return { server, told: await asked(server, clock) };
      } catch (error) {
        return { server, why: messageOf(error) };
      }
    }),
  );
  // The shortest way there and back leaves the least room for error.
  const [best] = answers
    .flatMap(({ server, told }) => (told ? [{ server, told }] : []))
    .sort((a, b) => a.told.delay - b.told.delay);
  if (best) return [judged(best.server, best.told)];
  const reasons = answers.map(({ server, why }) => `${server.host}: ${why}`).join('; ');
  return [cannotTell(reasons, 'let UDP port 123 through to these servers, or name others that can be reached')];
}

/** The name may take longer to resolve than a lookup can be told to wait. */
async function asked(server: TimeServer, clock: Clock): Promise<ClockOffset> {
  const signal = clock.timeout(PATIENCE);
  return await Promise.race([
    askTime(server, clock, signal),
    new Promise<never>((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(new Error(`no answer in ${PATIENCE / 1000} s`)), { once: true }),
    ),
  ]);
}

function judged({ host }: TimeServer, { offset, delay, stratum }: ClockOffset): Finding {
  const off = Math.abs(offset);
  if (off - delay / 2 <= OFF) return good(CHECK, `within ${Math.ceil(off)} ms of ${host}, of stratum ${stratum}`);
  const message = `is ${(off / 1000).toFixed(1)} s ${offset > 0 ? 'behind' : 'ahead of'} ${host}`;
  const advice = 'see why it is not kept: `chronyc tracking` or `timedatectl timesync-status`';
  return off > FAR_OFF ? fault(CHECK, message, advice) : warning(CHECK, message, advice);
}

const cannotTell = (why: string, advice: string): Finding =>
  warning(CHECK, `it cannot be told whether it is right (${why})`, advice);
