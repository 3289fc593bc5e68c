import { readdir, readFile } from 'node:fs/promises';

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
