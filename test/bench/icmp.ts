/** 2,000 addresses a round: processor time of siteward's ICMP collector, children included, beside bare fping. */
import { spawn } from 'node:child_process';
import { createIcmpCollector } from '#collectors/icmp/collector.ts';
import { systemClock } from '#daemon/clock.ts';
import { cpuSeconds } from './processes.ts';
import { type Figure, median, ms } from './table.ts';

const ADDRESSES = Array.from({ length: 2000 }, (_, index) => `127.9.${Math.floor(index / 250)}.${(index % 250) + 1}`);
const ROUNDS = 5;

export async function benchIcmp(): Promise<Figure[]> {
  const collector = createIcmpCollector();
  const targets = ADDRESSES.map((address) => ({
    name: address,
    address,
    snmpPort: 161,
    tcpPorts: [],
    credentials: [],
  }));
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(
      await spent(
        async () =>
          void (await collector.collect('alive', targets, { clock: systemClock, signal: AbortSignal.timeout(60_000) })),
      ),
    );
    bare.push(await spent(bareFping));
  }
  await collector.close();
  const [a, b] = [median(ours), median(bare)];
  return [
    {
      what: 'CPU of an ICMP round of 2,000 addresses',
      siteward: ms(a),
      beside: `${ms(b)} (bare fping)`,
      ratio: (a / b).toFixed(2),
      goal: '<= 1.50',
    },
  ];
}

/** Processor time of this process and its ended children while `work` runs. */
async function spent(work: () => Promise<void>): Promise<number> {
  const before = cpuSeconds(process.pid);
  await work();
  return cpuSeconds(process.pid) - before;
}

async function bareFping(): Promise<void> {
  const child = spawn('fping', ['-q', '-C', '3', '-p', '500', '-i', '1', '-f', '-'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.end(`${ADDRESSES.join('\n')}\n`);
  await new Promise((resolve) => child.once('exit', resolve));
}
