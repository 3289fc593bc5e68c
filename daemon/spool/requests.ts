/**
 * How `siteward spool retry|drop` reaches a running daemon: by a file in the store's folder, which only those may write
 * who may also read the spool. The daemon answers in the same way. Nothing listens, and no second writer opens the
 * database.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Milliseconds } from '#collectors/contract.ts';
import { SitewardError } from '#config/errors.ts';
import type { Logger } from '#daemon/log.ts';

export interface QuarantineRequest {
  readonly action: 'retry' | 'drop';
  /** Rows of the quarantine; absent for all of the output's. */
  readonly ids?: readonly number[];
  /** Absent for all outputs. */
  readonly output?: string;
}

export interface QuarantineResult {
  readonly points: number;
}

export class SpoolRequestError extends SitewardError {
  constructor(message: string) {
    super('SPOOL_REQUEST', message, 'look into the log of the daemon, or stop it and try again');
  }
}

const FOLDER = 'spool-requests';
const LOOKED_EVERY = 1_000 as Milliseconds;
const ANSWER_LOOKED_EVERY = 100 as Milliseconds;
const LARGEST_REQUEST = 100_000;

/** Asks the daemon that has the folder. @throws SpoolRequestError when it does not answer until the signal aborts */
export async function askDaemon(
  directory: string,
  request: QuarantineRequest,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<QuarantineResult> {
  const folder = join(directory, FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const name = join(folder, randomUUID());
  // Under its name only when it is whole.
  await writeFile(`${name}.part`, JSON.stringify(request), { mode: 0o600 });
  await rename(`${name}.part`, `${name}.request`);
  try {
    while (true) {
      const answer = await readFile(`${name}.answer`, 'utf8').catch(() => undefined);
      if (answer !== undefined) return resultOf(answer);
      await clock.sleep(ANSWER_LOOKED_EVERY, signal);
    }
  } catch (thrown) {
    if (thrown instanceof SpoolRequestError) throw thrown;
    throw new SpoolRequestError('the daemon did not answer');
  } finally {
    await Promise.all(['request', 'answer'].map((suffix) => rm(`${name}.${suffix}`, { force: true })));
  }
}

function resultOf(answer: string): QuarantineResult {
  const parsed: unknown = JSON.parse(answer);
  if (typeof parsed === 'object' && parsed !== null) {
    if ('points' in parsed && typeof parsed.points === 'number') return { points: parsed.points };
    if ('error' in parsed) throw new SpoolRequestError(String(parsed.error));
  }
  throw new SpoolRequestError('the daemon answered something else than expected');
}

/** Does what is asked for in the folder, until the signal aborts. `act` does one request. */
export async function serveRequests(
  directory: string,
  act: (request: QuarantineRequest) => Promise<QuarantineResult>,
  { clock, signal, log }: { readonly clock: Clock; readonly signal: AbortSignal; readonly log: Logger },
): Promise<void> {
  const folder = join(directory, FOLDER);
  while (!signal.aborted) {
    const files = await readdir(folder).catch(() => []);
    for (const file of files.filter((each) => each.endsWith('.request'))) await serve(join(folder, file), act, log);
    await clock.sleep(LOOKED_EVERY, signal).catch(() => {});
  }
}

async function serve(
  path: string,
  act: (request: QuarantineRequest) => Promise<QuarantineResult>,
  log: Logger,
): Promise<void> {
  const answer = path.replace(/\.request$/, '');
  try {
    const request = parseRequest(await readFile(path, 'utf8'));
    // Taken away first: a request that ends the daemon must not end it again.
    await rm(path, { force: true });
    const result = await act(request);
    log.info('the quarantine was changed by hand', { ...request, ...result });
    await writeFile(`${answer}.part`, JSON.stringify(result));
  } catch (thrown) {
    log.warn('a request to the spool failed', { error: thrown });
    await rm(path, { force: true });
    await writeFile(`${answer}.part`, JSON.stringify({ error: thrown instanceof Error ? thrown.message : 'failed' }));
  }
  await rename(`${answer}.part`, `${answer}.answer`);
}

function parseRequest(text: string): QuarantineRequest {
  const parsed: unknown = text.length > LARGEST_REQUEST ? undefined : JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || !('action' in parsed)) throw new SpoolRequestError('no request');
  const { action } = parsed;
  if (action !== 'retry' && action !== 'drop') throw new SpoolRequestError('no such action');
  const ids = 'ids' in parsed && Array.isArray(parsed.ids) ? parsed.ids.map(Number) : undefined;
  const output = 'output' in parsed && typeof parsed.output === 'string' ? parsed.output : undefined;
  return { action, ...(ids && { ids }), ...(output !== undefined && { output }) };
}
