/** `flood.ts logins|odd URL …`: a process of its own that floods a siteward, and prints as JSON what came of it. */
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { oddRequests } from './odd-requests.ts';
import { seededRandom } from './random.ts';

const [kind, url = '', ...rest] = process.argv.slice(2);

/** Wrong logins at a rate, from one source or from many; statuses and how many were sent a second. */
async function logins(perSecond: number, seconds: number, sources: number) {
  const agents = Array.from(
    { length: sources },
    (_, index) =>
      new Agent({ keepAlive: true, maxSockets: 8, localAddress: `127.0.${1 + (index >> 7)}.${1 + (index & 127)}` }),
  );
  const statuses = new Map<number, number>();
  const body = '{"name":"anna","password":"wrong"}';
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
  let [sent, underWay] = [0, 0];
  const one = (agent: Agent) =>
    new Promise<void>((resolve) => {
      const count = (status: number) => {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        resolve();
      };
      const asked = request(`${url}/login`, { method: 'POST', agent, headers }, (response) => {
        response.resume().on('end', () => count(response.statusCode ?? 0));
      });
      asked.on('error', () => count(0)).end(body);
    });
  const began = performance.now();
  while (performance.now() - began < seconds * 1000) {
    const due = ((performance.now() - began) / 1000) * perSecond;
    for (; sent < due && underWay < 200; sent += 1) {
      underWay += 1;
      const agent = agents[sent % agents.length];
      if (agent)
        void one(agent).finally(() => {
          underWay -= 1;
        });
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for (const agent of agents) agent.destroy();
  return { sent, perSecond: Math.round(sent / seconds), statuses: Object.fromEntries(statuses) };
}

/** Odd requests, while slow connections of another source send a header now and then and never end. */
async function odd(count: number, slow: number, seed: number) {
  const { port } = new URL(url);
  let closed = 0;
  const sockets = Array.from({ length: slow }, () => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress: '127.0.0.2' }, () => {
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
    });
    socket
      .on('error', () => undefined)
      .on('close', () => {
        closed += 1;
      });
    return socket;
  });
  const trickle = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('X-A: b\r\n');
  }, 1000);
  const one = oddRequests(seededRandom(seed));
  const failures: string[] = [];
  let left = count;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (left-- > 0) {
        const failure = await one(url, '127.0.0.3');
        if (failure !== undefined) failures.push(failure);
      }
    }),
  );
  clearInterval(trickle);
  const slowOpen = slow - closed;
  for (const socket of sockets) socket.destroy();
  return { failures: failures.slice(0, 20), slowOpen };
}

const [first = 0, second = 0, third = 0] = rest.map(Number);
console.log(JSON.stringify(kind === 'logins' ? await logins(first, second, third) : await odd(first, second, third)));
