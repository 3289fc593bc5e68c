/** A man in the middle on loopback: passes requests on to an agent, and does with the replies what a test wants. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface Relay extends AsyncDisposable {
  readonly address: '127.0.0.1';
  readonly port: number;
}

/**
 * `handle` gets each reply and the request that it belongs to, and gives the datagrams that are sent on, in order.
 * Requests are passed on unchanged.
 */
export async function startRelay(
  agentPort: number,
  handle: (reply: Buffer, request: Buffer) => readonly Uint8Array[],
): Promise<Relay> {
  const inside = createSocket('udp4').bind(0, '127.0.0.1');
  const outside = createSocket('udp4').bind(0, '127.0.0.1');
  await Promise.all([once(inside, 'listening'), once(outside, 'listening')]);
  let client: { port: number; address: string } | undefined;
  let request = Buffer.alloc(0);
  inside.on('message', (datagram, source) => {
    client = source;
    request = datagram;
    outside.send(datagram, agentPort, '127.0.0.1');
  });
  outside.on('message', (reply) => {
    if (!client) return;
    for (const datagram of handle(reply, request)) inside.send(datagram, client.port, client.address);
  });
  return {
    address: '127.0.0.1',
    port: inside.address().port,
    [Symbol.asyncDispose]: async () => {
      inside.close();
      outside.close();
      await Promise.all([once(inside, 'close'), once(outside, 'close')]);
    },
  };
}
