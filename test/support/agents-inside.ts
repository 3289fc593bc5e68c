/**
 * Run in a network namespace by a test: serves recordings as SNMP agents until it is ended, or the test is. Its argument is a JSON list of
 * `{address, recording, texts, macs}`: what is in `texts` (by OID) and the physical addresses replace what was recorded.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Varbind } from '#collectors/snmp/agent.ts';
import { parseRecording } from '#collectors/snmp/recording.ts';
import { startMibAgent, text } from './mib-agent.ts';

export interface AgentInside {
  readonly address: string;
  /** Name of a recording in `test/profiles/recordings`. */
  readonly recording: string;
  readonly texts?: Readonly<Record<string, string>>;
  /** By OID, octets as hex. */
  readonly octets?: Readonly<Record<string, string>>;
  readonly numbers?: Readonly<Record<string, number>>;
}

const [, , order = '[]'] = process.argv;
for (const { address, recording, texts = {}, octets = {}, numbers = {} } of JSON.parse(order) as AgentInside[]) {
  const file = join(import.meta.dirname, '../profiles/recordings', `${recording}.snmprec`);
  const varbinds = new Map(parseRecording(readFileSync(file, 'utf8')).varbinds);
  for (const [oid, value] of Object.entries(texts)) varbinds.set(oid, text(value));
  for (const [oid, value] of Object.entries(numbers)) varbinds.set(oid, { type: 'integer', value });
  for (const [oid, value] of Object.entries(octets))
    varbinds.set(oid, { type: 'octet-string', value: Buffer.from(value, 'hex') } satisfies Varbind);
  await startMibAgent({ address, port: 161, varbinds, community: 'public' });
}
// Whoever started it holds this open, and lets go by ending, however it ends.
process.stdin.resume().once('close', () => process.exit());
console.log('ready');
