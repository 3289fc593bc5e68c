/** Agents that lie, as behaviours for `startMibAgent`. */
import type { Oid, Varbind } from '#collectors/snmp/agent.ts';
import { type CommunityMessage, encodeMessage, type Pdu, type WireVarbind } from '#collectors/snmp/ber.ts';
import type { Incident, MibAgentOptions } from './mib-agent.ts';

type Behaviour = NonNullable<MibAgentOptions['behave']>;

/** The reply with other varbinds or another error-status. */
export function altered(
  { reply }: Incident,
  change: { varbinds?: readonly WireVarbind[]; errorStatus?: number; errorIndex?: number; requestId?: number },
): CommunityMessage {
  return { ...reply, pdu: { ...reply.pdu, ...change } as Pdu };
}

const sendAltered = (incident: Incident, change: Parameters<typeof altered>[1]) =>
  incident.send(encodeMessage(altered(incident, change)));

/** How many varbinds a good reply to this request may have. */
function room({ request: { pdu } }: Incident): number {
  if (pdu.type !== 'get-bulk') return pdu.varbinds.length;
  return pdu.nonRepeaters + (pdu.varbinds.length - pdu.nonRepeaters) * pdu.maxRepetitions;
}

/** Octets of a varbind beside its value, roughly. */
const VARBIND_OCTETS = 40;

/** Answers every request for successors under `column` with what `index` gives for the n-th varbind it ever sends. */
function endless(column: Oid, index: (n: number) => string, value: (n: number) => Varbind = counting): Behaviour {
  let sent = 0;
  return (incident) => {
    if (incident.request.pdu.type === 'get') return incident.send(encodeMessage(incident.reply));
    const { value: first } = value(0);
    const fits = Math.floor(65_000 / (VARBIND_OCTETS + (first instanceof Uint8Array ? first.length : 0)));
    const varbinds = Array.from({ length: Math.min(room(incident), fits) }, (): WireVarbind => {
      sent++;
      return { oid: `${column}.${index(sent)}`, value: value(sent) };
    });
    sendAltered(incident, { varbinds });
  };
}

const counting = (n: number): Varbind => ({ type: 'gauge32', value: n });

/** Always the same OID. */
export const repeating = (column: Oid): Behaviour => endless(column, () => '7');
/** Each OID before the last. */
export const goingBack = (column: Oid): Behaviour => endless(column, (n) => String(1_000_000 - n));
/** Three OIDs in a circle. */
export const cycling = (column: Oid): Behaviour => endless(column, (n) => String(((n - 1) % 3) + 1));
/** A table without an end, each value as long as `octets`. */
export const everGrowing = (column: Oid, octets = 4): Behaviour =>
  endless(column, String, () => ({ type: 'octet-string', value: new Uint8Array(octets) }));

/** No varbinds at all. */
export const empty: Behaviour = (incident) => sendAltered(incident, { varbinds: [] });

/** tooBig whatever is asked, or only above `names` names and `repetitions` rows. */
export const tooBig =
  (names = 0, repetitions = 0): Behaviour =>
  (incident) => {
    const { pdu } = incident.request;
    const rows = pdu.type === 'get-bulk' ? pdu.maxRepetitions : 1;
    if (pdu.varbinds.length > names || rows > repetitions) sendAltered(incident, { errorStatus: 1, varbinds: [] });
    else incident.send(encodeMessage(incident.reply));
  };

/** genErr with an error-index that names nothing. */
export const wildErrorIndex: Behaviour = (incident) => sendAltered(incident, { errorStatus: 5, errorIndex: 9_999 });

/** Every reply twice. */
export const doubling: Behaviour = ({ reply, send }) => {
  send(encodeMessage(reply));
  send(encodeMessage(reply));
};

/** First a reply with lies from another address and one from another port, then the true one. */
export const withStrangers =
  (other: string, lie: Varbind): Behaviour =>
  (incident) => {
    const { reply, send, sendFrom } = incident;
    const varbinds = reply.pdu.varbinds.map(({ oid }) => ({ oid, value: lie }));
    const lies = encodeMessage(altered(incident, { varbinds }));
    sendFrom(other, lies);
    sendFrom('127.0.0.1', lies);
    setImmediate(() => setImmediate(() => send(encodeMessage(reply))));
  };

/** Before each true reply: garbage, a wrong id, a wrong community, a wrong version, a request, half a reply. */
export const withGarbage = (garbage: Iterable<Uint8Array> = []): Behaviour => {
  return (incident) => {
    const { request, reply, send } = incident;
    const good = encodeMessage(reply);
    for (const octets of garbage) if (octets.length > 0) send(octets);
    send(encodeMessage(altered(incident, { requestId: (request.pdu.requestId ^ 0x5555) & 0x7fff_ffff })));
    send(encodeMessage({ ...reply, community: new TextEncoder().encode('other') }));
    send(encodeMessage({ ...reply, version: reply.version === '1' ? '2c' : '1' }));
    send(encodeMessage(request));
    send(good.subarray(0, good.length >> 1));
    send(good);
  };
};
