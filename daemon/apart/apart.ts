/**
 * Work that loads much and is seldom needed, done in a process that ends: what it leaves behind is given back to the
 * system, which a process that goes on for years never does.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** A channel of its own: what else writes on stdout, such as a debugger's flags, cannot get into an answer. */
const ANSWER = 3;

/**
 * Runs a file beside this one with arguments.
 * @returns what it answered; undefined where it could not be started or did not end well
 */
export async function runApart(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Buffer | undefined> {
  // As this process was started, but for a debugger, which can only listen for one.
  const flags = process.execArgv.filter((flag) => !flag.startsWith('--inspect'));
  const path = fileURLToPath(new URL(file, import.meta.url));
  try {
    const child = spawn(process.execPath, [...flags, path, ...args], {
      env,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    const [answer, [status]] = await Promise.all([buffer(child.stdio[ANSWER] as Readable), once(child, 'close')]);
    return status === 0 ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** For the other process. */
export function answer(bytes: Uint8Array): void {
  createWriteStream('', { fd: ANSWER }).end(bytes);
}
