import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { parseExposition, samplesOf } from '../support/exposition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { SITEWARD } from '../support/siteward.ts';

/**
 * In a network namespace of its own, where its usual port is free whoever else runs on this machine, and where nothing
 * but loopback is there: the demo needs no network.
 */
class DemoDaemon {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  readonly #root = process.getuid?.() === 0;

  constructor(verb: string, folder: string) {
    const script = 'ip link set lo up; exec "$0" "$1"';
    const unshare = [...(this.#root ? [] : ['--user', '--map-root-user']), '--net', 'sh', '-c', script, SITEWARD, verb];
    this.child = spawn('unshare', unshare, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
    }
    onTestFinished(() => void this.child.kill('SIGKILL'));
  }

  /** What it answers at its usual address; undefined while it does not. */
  async get(path: string): Promise<string | undefined> {
    const asking = `fetch('http://127.0.0.1:9720${path}').then(async (r) => process.stdout.write(await r.text()))`;
    const user = this.#root ? [] : ['--user', '--preserve-credentials'];
    const args = ['--target', String(this.child.pid), ...user, '--net', process.execPath, '-e', asking];
    const asked = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    asked.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    const [code] = await once(asked, 'close');
    return code === 0 ? text : undefined;
  }
}

test.each(['demo', 'run'])(
  '%s: within 30 s every device of the simulated office is in /metrics and on the page, and Ctrl-C ends it',
  async (verb) => {
    const demo = new DemoDaemon(verb, await temporaryFolder());
    const started = performance.now();

    let devices: string[] = [];
    let classes = new Set<string>();
    while (performance.now() - started < 30_000) {
      const info = samplesOf(parseExposition((await demo.get('/metrics')) ?? ''), 'siteward_device_info');
      // A device that has not been asked yet has no profile.
      const known = info.filter(({ labels }) => labels.profile !== '');
      devices = known.map(({ labels }) => labels.device ?? '');
      classes = new Set(known.map(({ labels }) => labels.class ?? ''));
      if (info.length > 0 && known.length === info.length) break;
    }

    expect(devices.length).toBeGreaterThanOrEqual(8);
    expect(classes.size).toBeGreaterThanOrEqual(6);
    expect(performance.now() - started).toBeLessThan(30_000);

    const page = (await demo.get('/')) ?? '';
    for (const device of devices) expect(page).toContain(device);

    const stopping = performance.now();
    demo.child.kill('SIGINT');
    const [code] = await once(demo.child, 'exit');

    expect(code).toBe(0);
    expect(performance.now() - stopping).toBeLessThan(10_000);
    if (verb === 'run') expect(demo.lines.filter((line) => line.includes('no config is given'))).toHaveLength(1);
    expect(demo.lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  },
  180_000,
);
