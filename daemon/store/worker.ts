/** The store's thread: the only one that holds a database open. Started by `openStore`, imported by nobody. */
import { join } from 'node:path';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { givingMemoryBack } from '../spare-memory.ts';
import { Ballast } from './ballast.ts';
import type { Connection } from './connection.ts';
import { assertSqliteVersion, copyDatabase, openConnection, readDamaged } from './database-file.ts';
import { asStoreError, StoreError } from './errors.ts';
import { lockFolder } from './folder-lock.ts';
import type { Answers, Call, Fault, Reply, Request, WorkerSettings } from './messages.ts';
import type { DatabaseOptions } from './store.ts';

const BALLAST_EVERY_MS = 30_000;

const settings = workerData as WorkerSettings;
const connections = new Map<string, Connection>();

if (parentPort) start(parentPort);

function start(port: MessagePort): void {
  const ballast = new Ballast(settings.directory);
  let unlock = (): void => {};
  try {
    assertSqliteVersion();
    if (!settings.readOnly) unlock = withRoom(ballast, settings.directory, () => lockFolder(settings.directory));
    reply(port, { id: 0, ok: true, value: undefined });
  } catch (thrown) {
    reply(port, { id: 0, ok: false, fault: faultOf(thrown, settings.directory) });
    return;
  }
  const keeper = settings.readOnly ? undefined : setInterval(() => ballast.keep(), BALLAST_EVERY_MS);
  keeper?.unref();
  givingMemoryBack();
  port.on('message', ({ id, call }: Request) => {
    try {
      reply(port, { id, ok: true, value: answer(call, ballast) });
      if (call.op === 'close') {
        clearInterval(keeper);
        unlock();
        port.close();
      }
    } catch (thrown) {
      reply(port, { id, ok: false, fault: faultOf(thrown, 'name' in call ? fileOf(call.name) : settings.directory) });
    }
  });
}

function answer(call: Call, ballast: Ballast): Answers[keyof Answers] {
  switch (call.op) {
    case 'open':
      return open(call.name, call.options, ballast);
    case 'write':
      return connectionOf(call.name).write(call.writes);
    case 'read':
      return connectionOf(call.name).read(call.sql, call.params);
    case 'size':
      return connectionOf(call.name).size();
    case 'shrink':
      connectionOf(call.name).shrink(call.pages);
      return undefined;
    case 'copy':
      copyDatabase(fileOf(call.name), call.path);
      return undefined;
    case 'check':
      return connectionOf(call.name).check();
    case 'readDamaged':
      return readDamaged(call.path, call.sql, call.params);
    case 'close':
      for (const connection of connections.values()) connection.close();
      connections.clear();
      return undefined;
    default:
      return call satisfies never;
  }
}

function open(name: string, options: DatabaseOptions, ballast: Ballast): Answers['open'] {
  const opened = withRoom(ballast, fileOf(name), () => {
    const former = connections.get(name);
    return openConnection(fileOf(name), options, { readOnly: settings.readOnly, former });
  });
  connections.set(name, opened.connection);
  return opened.setAside === undefined ? {} : { setAside: opened.setAside };
}

/** Tries once more without the ballast where the disk is full. */
function withRoom<T>(ballast: Ballast, where: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (settings.readOnly || asStoreError(thrown, where).code !== 'STORE_FULL' || !ballast.release()) throw thrown;
    return work();
  }
}

function connectionOf(name: string): Connection {
  const connection = connections.get(name);
  if (!connection) throw new StoreError('STORE_CLOSED', `${fileOf(name)} is not open`);
  return connection;
}

function fileOf(name: string): string {
  return join(settings.directory, `${name}.db`);
}

function faultOf(thrown: unknown, where: string): Fault {
  const { code, message } = asStoreError(thrown, where);
  return { code, message };
}

/** Large values change hands instead of being copied. */
function reply(port: MessagePort, message: Reply): void {
  const transfer: ArrayBuffer[] = [];
  if (message.ok && Array.isArray(message.value)) {
    for (const row of message.value) {
      for (const value of Object.values(row)) {
        if (value instanceof Uint8Array && value.buffer instanceof ArrayBuffer) transfer.push(value.buffer);
      }
    }
  }
  port.postMessage(message, transfer);
}
