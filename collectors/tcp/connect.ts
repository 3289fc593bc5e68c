import { connect, type Socket } from 'node:net';
import type { CollectContext, Milliseconds } from '../contract.ts';

/** Long enough for the kernel to send the first packet again twice when it is lost (after one and three seconds). */
const CONNECT_LIMIT = 4000 as Milliseconds;

/** What became of one attempt to connect. */
export type Attempt =
  | { readonly kind: 'accepted' }
  /** The host answered that nothing listens there. */
  | { readonly kind: 'refused' }
  /** Nothing came back, or a router says that the host is not there. */
  | { readonly kind: 'silent' }
  /** The fault is on our side. `code` is the system's word for it. */
  | { readonly kind: 'could-not-tell'; readonly code: string };

/**
 * Connects to a port and closes again at once; nothing is sent. Gives up after four seconds, or when the signal aborts,
 * which is could-not-tell (`ABORTED`).
 */
export async function attemptConnect(address: string, port: number, context: CollectContext): Promise<Attempt> {
  if (context.signal.aborted) return { kind: 'could-not-tell', code: 'ABORTED' };
  const limit = context.clock.timeout(CONNECT_LIMIT);
  const socket = connect({ host: address, port, autoSelectFamily: false });
  return await new Promise<Attempt>((resolve) => {
    const finish = (attempt: Attempt): void => {
      limit.removeEventListener('abort', onLimit);
      context.signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(attempt);
    };
    const onLimit = (): void => finish({ kind: 'silent' });
    const onAbort = (): void => finish({ kind: 'could-not-tell', code: 'ABORTED' });
    limit.addEventListener('abort', onLimit, { once: true });
    context.signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', () => finish({ kind: isItself(socket) ? 'refused' : 'accepted' }));
    // Stays on: an error may follow the one that settled the matter.
    socket.on('error', (error) => finish(meaningOf(error)));
  });
}

/**
 * Linux connects a socket to itself when the port asked for on this machine is the one that it gave the socket: nothing
 * listens there.
 */
function isItself(socket: Socket): boolean {
  return socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
}

function meaningOf(error: Error): Attempt {
  const code = 'code' in error ? String(error.code) : error.message;
  switch (code) {
    case 'ECONNREFUSED':
    case 'ECONNRESET':
      return { kind: 'refused' };
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'EHOSTDOWN':
      return { kind: 'silent' };
    default: // ENETUNREACH, EMFILE, EADDRNOTAVAIL, EPERM by an own packet filter, …
      return { kind: 'could-not-tell', code };
  }
}
