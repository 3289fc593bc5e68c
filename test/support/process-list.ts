import { readdir, readFile } from 'node:fs/promises';

/** Processes that this one, or one that it started, has not reaped, by their names. They have no command line any more. */
export async function zombies(): Promise<string[]> {
  const family = new Set([process.pid]);
  const rows = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map(async (pid) => {
        const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
        const [, name = '', state = '', parent = ''] = /^\d+ \((.*)\) (\S) (\d+)/s.exec(line) ?? [];
        return { pid: Number(pid), name, state, parent: Number(parent) };
      }),
  );
  for (const { pid, parent } of rows.toSorted((a, b) => a.pid - b.pid)) if (family.has(parent)) family.add(pid);
  return rows.filter(({ state, parent }) => state === 'Z' && family.has(parent)).map(({ name }) => name);
}

/** Command lines of processes in which this text stands. */
export async function processesWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const plain = line.replaceAll('\0', ' ').trim();
    if (plain.includes(text)) found.push(plain);
  }
  return found;
}
