import { describe, expect, test } from 'vitest';
import { propose } from '#collectors/snmp/profile/propose.ts';
import { parseRecording } from '#collectors/snmp/recording.ts';

const { varbinds } = parseRecording(`
1.3.6.1.2.1.2.2.1.10.1|65|12345
1.3.6.1.2.1.43.10.2.1.4.1.1|65|12345
1.3.6.1.4.1.99999.1.2.1.5|2|12345
1.3.6.1.4.1.99999.7.1.1|65|12345
1.3.6.1.4.1.99999.7.1.2|65|678
1.3.6.1.4.1.99999.8.1|4|0000444
1.3.6.1.4.1.99999.9.1.1|65|100
1.3.6.1.4.1.99999.9.1.2|65|150
1.3.6.1.4.1.99999.9.1.3|65|9000
1.3.6.1.4.1.99999.10.0|4x|000104000003e7010104000003e6ff
`);

describe('proposals from what the panel shows', () => {
  test('every object that matches is named, the one beside another match first', () => {
    const [total] = propose(varbinds, { total: 12345, color: 678 });

    expect(total?.candidates.map(({ yaml }) => yaml)).toEqual([
      '1.3.6.1.4.1.99999.7.1.1',
      '1.3.6.1.4.1.99999.1.2.1.5',
      '1.3.6.1.2.1.43.10.2.1.4.1.1',
    ]);
    expect(total?.candidates[0]?.remarks).toEqual(['stands beside 1.3.6.1.4.1.99999.7.1.2, which matches too']);
    expect(total?.candidates[2]?.remarks[0]).toContain('prtMarkerLifeCount');
  });

  test('texts of digits, packed records and sums are found', () => {
    const found = propose(varbinds, { scan: 444, fax: 999, mono: 250, nothing: 5_555 });

    expect(found.map(({ candidates }) => candidates.map(({ yaml }) => yaml))).toEqual([
      ['1.3.6.1.4.1.99999.8.1'],
      ['{oid: 1.3.6.1.4.1.99999.10.0, record: {id: 0}}'],
      ['{sum: [1.3.6.1.4.1.99999.9.1.1, 1.3.6.1.4.1.99999.9.1.2]}'],
      [],
    ]);
  });
});
