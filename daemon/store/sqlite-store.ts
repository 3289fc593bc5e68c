import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { Logger } from '#daemon/log.ts';
import { StoreError } from './errors.ts';
import type { Answers, Call, Reply, Request, WorkerSettings } from './messages.ts';
import type {
  Database,
  DatabaseOptions,
  OpenedDatabase,
  Outcome,
  Row,
  SqlValue,
  Statement,
  Store,
  StoreSettings,
} from './store.ts';

/**
 * Takes the folder and starts the store's thread.
 * @throws StoreError `STORE_LOCKED` when another siteward has the folder, `STORE_ACCESS` when it cannot be written,
 *   `STORE_SQLITE` when this runtime's SQLite is not safe to use
 */
export async function openStore(settings: StoreSettings): Promise<Store> {
  const thread = new StoreThread(settings);
  await thread.ready;
  return new SqliteStore(thread, settings.log);
}

class SqliteStore implements Store {
  readonly #thread: StoreThread;
  readonly #log: Logger;
  readonly #handles = new Map<string, ThreadDatabase>();

  constructor(thread: StoreThread, log: Logger) {
    this.#thread = thread;
    this.#log = log;
  }

  async open(name: string, options: DatabaseOptions): Promise<OpenedDatabase> {
    if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new StoreError('STORE_STATEMENT', `${name} is not a database's name`);
    // Before the thread hears of it: what still waits for the handle before is of the file before.
    this.#handles.get(name)?.end();
    const { setAside } = await this.#thread.call({ op: 'open', name, options });
    const database = new ThreadDatabase(this.#thread, name);
    this.#handles.set(name, database);
    if (setAside === undefined) return { database };
    this.#log.error('a damaged database was set aside and an empty one begun', { database: name, setAside });
    return { database, setAside };
  }

  async readDamaged(path: string, sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return await this.#thread.call({ op: 'readDamaged', path, sql, params });
  }

  async copy(name: string, path: string): Promise<void> {
    await copyBeside(this.#thread.settings, name, path);
  }

  async close(): Promise<void> {
    await this.#thread.close();
  }
}

/** By a second thread that only reads, for a copy takes seconds and the writes must not wait for it. */
async function copyBeside(settings: StoreSettings, name: string, path: string): Promise<void> {
  const beside = new StoreThread({ ...settings, readOnly: true });
  try {
    await beside.ready;
    await beside.call({ op: 'copy', name, path });
  } finally {
    await beside.close();
  }
}

interface QueuedWrite {
  readonly statements: readonly Statement[];
  readonly resolve: (outcomes: readonly Outcome[]) => void;
  readonly reject: (reason: StoreError) => void;
}

class ThreadDatabase implements Database {
  readonly #thread: StoreThread;
  readonly #name: string;
  #queue: QueuedWrite[] = [];
  #committing = false;
  #ended = false;

  constructor(thread: StoreThread, name: string) {
    this.#thread = thread;
    this.#name = name;
  }

  /** What is asked for while a commit runs goes into the next one together: a sync costs the same for one and many. */
  async write(statements: readonly Statement[]): Promise<readonly Outcome[]> {
    this.#assertOpen();
    return await new Promise((resolve, reject) => {
      this.#queue.push({ statements: statements.map(compact), resolve, reject });
      if (!this.#committing) void this.#commit();
    });
  }

  async read(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    this.#assertOpen();
    return await this.#thread.call({ op: 'read', name: this.#name, sql, params });
  }

  async size(): Promise<number> {
    return await this.#thread.call({ op: 'size', name: this.#name });
  }

  async shrink(pages: number): Promise<void> {
    await this.#thread.call({ op: 'shrink', name: this.#name, pages });
  }

  async backup(path: string): Promise<void> {
    await copyBeside(this.#thread.settings, this.#name, path);
  }

  async check(): Promise<readonly string[]> {
    return await this.#thread.call({ op: 'check', name: this.#name });
  }

  /**
   * The file is opened anew. Nothing that this handle is still asked for may get into the new one: it may be empty, or
   * half restored from a copy.
   */
  end(): void {
    this.#ended = true;
    const waiting = this.#queue;
    this.#queue = [];
    for (const { reject } of waiting) reject(this.#gone());
  }

  #assertOpen(): void {
    if (this.#ended) throw this.#gone();
  }

  #gone(): StoreError {
    return new StoreError('STORE_CLOSED', `${this.#name}.db was opened anew, and this handle is of before`);
  }

  async #commit(): Promise<void> {
    this.#committing = true;
    while (this.#queue.length > 0) {
      const group = this.#queue;
      this.#queue = [];
      try {
        const writes = group.map(({ statements }) => statements);
        const results = await this.#thread.call({ op: 'write', name: this.#name, writes });
        for (const [index, { resolve, reject }] of group.entries()) {
          const result = results[index];
          if (result?.ok) resolve(result.outcomes);
          else reject(new StoreError(result?.fault.code ?? 'STORE_CLOSED', result?.fault.message ?? 'no answer'));
        }
      } catch (thrown) {
        for (const { reject } of group) reject(thrown as StoreError);
      }
    }
    this.#committing = false;
  }
}

/**
 * All octets of a statement in one buffer, which goes to the other thread as a whole. A view into a larger one would take
 * all of that along, and a buffer for each of a thousand small values costs more than writing them does.
 */
function compact(statement: Statement): Statement {
  const { params, rows } = statement;
  let length = 0;
  for (const row of rows ?? [params ?? []])
    for (const value of row) if (value instanceof Uint8Array) length += value.length;
  if (length === 0) return statement;
  const octets = new Uint8Array(length);
  let at = 0;
  const moved = (value: SqlValue): SqlValue => {
    if (!(value instanceof Uint8Array)) return value;
    octets.set(value, at);
    at += value.length;
    return octets.subarray(at - value.length, at);
  };
  return rows
    ? { sql: statement.sql, rows: rows.map((row) => row.map(moved)) }
    : { sql: statement.sql, params: params?.map(moved) ?? [] };
}

interface PendingCall {
  readonly resolve: (value: Answers[keyof Answers]) => void;
  readonly reject: (reason: StoreError) => void;
}

/** The number of the call that nobody made: the thread says by it whether it could open the folder. */
const OPENING = 0;

/** For heaps that are made from now on: what this thread makes for a moment are the rows of one statement. */
const LITTLE_YOUNG = '--max-semi-space-size=1';

/** The worker, and the calls that wait for it. */
class StoreThread {
  readonly ready: Promise<void>;
  readonly settings: StoreSettings;
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingCall>();
  #lastId = 0;
  #ended: StoreError | undefined;
  /** Its end was asked for, or it said itself why it ends; on a busy machine that may be heard of before the answer. */
  #closing = false;

  constructor(settings: StoreSettings) {
    this.settings = settings;
    const { directory, readOnly = false } = settings;
    const workerData: WorkerSettings = { directory, readOnly };
    setFlagsFromString(LITTLE_YOUNG);
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData });
    this.ready = new Promise((resolve, reject) => this.#pending.set(OPENING, { resolve: () => resolve(), reject }));
    this.#worker.on('message', (reply: Reply) => this.#take(reply));
    this.#worker.on('error', (error) => this.#end(`the store's thread failed: ${error.message}`, error));
    this.#worker.on('exit', () => this.#end("the store's thread has ended"));
  }

  async call<C extends Call>(call: C): Promise<Answers[C['op']]> {
    if (this.#ended) throw this.#ended;
    return await new Promise((resolve, reject) => {
      const request: Request = { id: ++this.#lastId, call };
      // The thread answers each call by its kind.
      this.#pending.set(request.id, { resolve: (value) => resolve(value as Answers[C['op']]), reject });
      this.#worker.postMessage(request);
    });
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    const exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#closing = true;
    await this.call({ op: 'close' });
    this.#ended = new StoreError('STORE_CLOSED', 'the store is closed');
    await exited;
  }

  #take(reply: Reply): void {
    const call = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    // What does not open ends its thread too, and whoever opened it hears why.
    if (reply.id === OPENING && !reply.ok) this.#closing = true;
    if (reply.ok) call?.resolve(reply.value);
    else call?.reject(new StoreError(reply.fault.code, reply.fault.message));
  }

  #end(why: string, cause?: unknown): void {
    if (!this.#ended) {
      this.#ended = new StoreError('STORE_CLOSED', why, { cause });
      if (cause || !(this.#closing || this.#pending.has(OPENING))) this.settings.log.error(why, { error: cause });
    }
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
  }
}
