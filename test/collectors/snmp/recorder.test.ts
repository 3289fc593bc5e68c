import { describe, expect, test } from 'vitest';
import { formatRecording, RECORDED_SUBTREES, recordDevice } from '#collectors/snmp/recorder.ts';
import { parseRecording, RecordedAgent } from '#collectors/snmp/recording.ts';

const DEVICE = `
1.3.6.1.2.1.1.1.0|4|Printer of Jane Roe, write to jane.roe@client.example
1.3.6.1.2.1.1.3.0|67|5
1.3.6.1.2.1.1.4.0|4|Jane Roe
1.3.6.1.2.1.1.5.0|4|printer-2
1.3.6.1.2.1.1.6.0|4|Cellar
1.3.6.1.2.1.25.4.2.1.2.1|4|secret-process
1.3.6.1.2.1.43.10.2.1.4.1.1|65|4294967295
1.3.6.1.4.1.99999.1.0|4|s3cret-community
1.3.6.1.4.1.99999.2.0|4|Cellar, left
1.3.6.1.4.1.99999.3.0|4x|00ff0d0a
1.3.6.1.4.1.99999.4.0|70|18446744073709551615
1.3.6.1.4.1.99999.5.0|6|1.3.6.1.4.1
1.3.6.1.4.1.99999.6.0|64|192.0.2.7
1.3.6.1.4.1.99999.7.0|68x|9f780441480000
1.3.6.1.4.1.99999.8.0|2|-5
1.3.6.1.4.1.99999.9.0|4|with | bar and  spaces
`;

describe('recording a device', () => {
  test('what profiles read is walked and nothing about people, with progress', async () => {
    const agent = new RecordedAgent(parseRecording(DEVICE));
    const titles: string[] = [];

    const { varbinds, partial } = await recordDevice(agent, new AbortController().signal, ({ title }) =>
      titles.push(title),
    );

    expect(partial).toEqual([]);
    expect(titles).toEqual(RECORDED_SUBTREES.map(({ title }) => title));
    expect([...varbinds.keys()]).not.toContain('1.3.6.1.2.1.25.4.2.1.2.1');
    expect(varbinds.size).toBe(15);
  });

  test('communities, contact, location and e-mail are not in the file', () => {
    const text = formatRecording(parseRecording(DEVICE).varbinds, { secrets: ['s3cret-community'] });

    for (const secret of ['s3cret', 'Jane', 'jane.roe', 'Cellar']) expect(text).not.toContain(secret);
    expect(text).toContain('1.3.6.1.2.1.1.1.0|4|Printer of removed, write to removed@example.com\n');
    expect(text).toContain('1.3.6.1.4.1.99999.2.0|4|removed, left\n');
  });

  test('what was written is read again as it was', () => {
    const device = parseRecording(DEVICE.replace(/.*(Jane|Cellar|s3cret).*\n/g, ''));

    const again = parseRecording(formatRecording(device.varbinds, { secrets: ['public'] }));

    expect(again.faults).toEqual([]);
    expect([...again.varbinds].filter(([oid]) => !/1\.1\.[46]\.0$/.test(oid))).toEqual([...device.varbinds]);
  });
});
