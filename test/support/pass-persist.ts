/**
 * A program for `pass_persist` of snmpd.conf: serves the part of a recording that lies under a subtree.
 *   pass_persist .1.3.6.1.4.1.318 node pass-persist.ts RECORDING 1.3.6.1.4.1.318
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Varbind } from '#collectors/snmp/agent.ts';
import { parseRecording } from '#collectors/snmp/recording.ts';
import { compareOids } from './mib-agent.ts';

const [file = '', subtree = ''] = process.argv.slice(2);
const { varbinds } = parseRecording(readFileSync(file, 'utf8'));
const oids = [...varbinds.keys()].filter((oid) => oid === subtree || oid.startsWith(`${subtree}.`)).sort(compareOids);

/** Type and value as snmpd reads them from such a program. */
function written(value: Varbind): string {
  switch (value.type) {
    case 'octet-string':
      return `octet\n${[...value.value].map((octet) => octet.toString(16).padStart(2, '0')).join(' ')}`;
    case 'oid':
      return `objectid\n.${value.value}`;
    case 'ip-address':
      return `ipaddress\n${value.value}`;
    case 'counter32':
      return `counter\n${value.value}`;
    case 'gauge32':
      return `gauge\n${value.value}`;
    case 'counter64':
      return `counter64\n${value.value}`;
    case 'opaque':
      return `opaque\n${Buffer.from(value.value).toString('hex')}`;
    default:
      return `${value.type}\n${value.value}`;
  }
}

function answer(verb: string, asked: string): string {
  const plain = asked.replace(/^\./, '');
  const oid = verb === 'get' ? plain : oids.find((each) => compareOids(each, plain) > 0);
  const value = oid === undefined ? undefined : varbinds.get(oid);
  return oid !== undefined && value ? `.${oid}\n${written(value)}\n` : 'NONE\n';
}

let verb: string | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  if (verb !== undefined) {
    process.stdout.write(answer(verb, line.trim()));
    verb = undefined;
  } else if (line === 'PING') process.stdout.write('PONG\n');
  else if (line === 'get' || line === 'getnext') verb = line;
}
