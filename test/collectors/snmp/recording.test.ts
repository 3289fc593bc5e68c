import { describe, expect, test } from 'vitest';
import { parseRecording, RecordedAgent } from '#collectors/snmp/recording.ts';

const { signal } = new AbortController();

describe('recordings', () => {
  test('every type of value is read', () => {
    const { varbinds, faults } = parseRecording(
      [
        '1.3.6.1.1|2|-5',
        '1.3.6.1.2|4|text | with bars',
        '1.3.6.1.3|4x|00ff',
        '1.3.6.1.4|5|',
        '1.3.6.1.5|6|1.3.6.1',
        '1.3.6.1.6|64|192.0.2.1',
        '1.3.6.1.7|65|4294967295',
        '1.3.6.1.8|66|7',
        '1.3.6.1.9|67|8',
        '1.3.6.1.10|68x|9f780441480000',
        '1.3.6.1.11|70|18446744073709551615',
        '1.3.6.1.12|64x|c0000201',
      ].join('\r\n'),
    );

    expect(faults).toEqual([]);
    expect([...varbinds.values()]).toEqual([
      { type: 'integer', value: -5 },
      { type: 'octet-string', value: new TextEncoder().encode('text | with bars') },
      { type: 'octet-string', value: Uint8Array.of(0, 255) },
      { type: 'oid', value: '1.3.6.1' },
      { type: 'ip-address', value: '192.0.2.1' },
      { type: 'counter32', value: 4_294_967_295 },
      { type: 'gauge32', value: 7 },
      { type: 'timeticks', value: 8 },
      { type: 'opaque', value: Uint8Array.of(0x9f, 0x78, 4, 0x41, 0x48, 0, 0) },
      { type: 'counter64', value: 18_446_744_073_709_551_615n },
      { type: 'ip-address', value: '192.0.2.1' },
    ]);
  });

  test('a damaged line is named and the others count', () => {
    const { varbinds, faults } = parseRecording('1.3.6.1.1|2|x\nnonsense\n1.3.x|2|1\n1.3.6.1.2|2|5\n1.3.6.1.3|99|5\n');

    expect([...varbinds.keys()]).toEqual(['1.3.6.1.2']);
    expect(faults.map(({ line }) => line)).toEqual([1, 2, 3, 5]);
    expect(faults[1]?.message).toContain('write 1.3.6.1.2.1.1.5.0|4|name');
  });

  test('rows come in the order of OIDs, whatever the order of the lines', async () => {
    const agent = new RecordedAgent(parseRecording('1.3.9.10|2|3\n1.3.9.2|2|2\n1.3.9.1.5|2|1\n1.3.90.1|2|4'));

    const { columns } = await agent.read({ scalars: [], tables: [['1.3.9', '1.3.7']] }, signal);

    expect([...(columns.get('1.3.9')?.keys() ?? [])]).toEqual(['1.5', '2', '10']);
    expect(columns.get('1.3.7')?.size).toBe(0);
  });

  test('an abort is obeyed', async () => {
    const agent = new RecordedAgent(parseRecording(''));

    await expect(agent.read({ scalars: [], tables: [] }, AbortSignal.abort(new Error('late')))).rejects.toThrow('late');
  });
});
