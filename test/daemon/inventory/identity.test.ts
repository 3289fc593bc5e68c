import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compare,
  distrustedIn,
  type Evidence,
  grouped,
  NOTHING_DISTRUSTED,
  serialVotes,
} from '#daemon/inventory/identity.ts';

const copier: Evidence = {
  serial: 'W3148500512',
  vendor: 'Ricoh',
  engineId: '8000016f030026733a4b5c',
  macs: ['00:26:73:3a:4b:5c'],
  sysName: 'copier-2f',
  model: 'IM C3000',
};

const kind = (a: Evidence, b: Evidence) => compare(a, b).kind;

describe('one device or two', () => {
  test('a device is the same under a new NIC, a new name and a new engine, by its serial and vendor', () => {
    const now = { ...copier, macs: ['00:26:73:99:88:77'], engineId: '8000016f03002673998877', sysName: 'etage2' };

    expect(kind(copier, now)).toBe('same');
  });

  test('another serial at the same place is another device', () => {
    const swapped = {
      ...copier,
      serial: 'W3148500999',
      engineId: '8000016f03002673aaaaaa',
      macs: ['00:26:73:aa:aa:aa'],
    };

    expect(kind(copier, swapped)).toBe('different');
  });

  test('a swapped board that kept the NIC is for a person to judge', () => {
    const board = { ...copier, serial: 'W3148500999' };

    expect(kind(copier, board)).toBe('ambiguous');
  });

  test('one agreeing fact merges nothing', () => {
    expect(kind({ macs: copier.macs ?? [] }, copier)).toBe('ambiguous');
    expect(kind({ engineId: 'aabbccddeeff' }, { ...copier, engineId: 'aabbccddeeff' })).toBe('ambiguous');
    expect(kind({ sysName: 'copier-2f' }, copier)).not.toBe('same');
    expect(kind({ model: 'IM C3000' }, copier)).not.toBe('same');
    expect(kind({ serial: copier.serial ?? '' }, copier)).toBe('ambiguous');
  });

  test('an engine ID or a name made from the MAC is no second fact', () => {
    const { engineId, macs } = copier;

    expect(kind({ engineId, macs } as Evidence, { engineId, macs } as Evidence)).toBe('ambiguous');
    expect(kind({ macs, sysName: 'RNP3A4B5C' } as Evidence, { macs, sysName: 'RNP3A4B5C' } as Evidence)).toBe(
      'ambiguous',
    );
    expect(kind({ macs, sysName: 'copier-2f' } as Evidence, { macs, sysName: 'copier-2f' } as Evidence)).toBe('same');
  });

  test('two of one model that were never named are two devices', () => {
    const twin = { vendor: 'HP', model: 'LaserJet M507', sysName: 'HP LaserJet M507' };

    expect(kind(twin, twin)).not.toBe('same');
  });

  test.each([
    '0123456789',
    'None',
    '00000000',
    'To be filled by O.E.M.',
    'XXXXXXXX',
    '<private>',
    'N/A',
    '1',
    'Default string',
    'System Serial Number',
  ])('%s is no serial, and does not vote', (serial) => {
    const placeholder = { serial, vendor: 'Supermicro' };

    expect(serialVotes(placeholder)).toBe(false);
    expect(
      kind({ ...placeholder, macs: ['0c:c4:7a:00:00:01'] }, { ...placeholder, macs: ['0c:c4:7a:00:00:02'] }),
    ).not.toBe('same');
  });

  test('virtual addresses of redundant routers are nobody’s', () => {
    const vrrp = (serial: string): Evidence => ({
      serial,
      vendor: 'Cisco',
      macs: ['00:00:5e:00:01:0a'],
      sysName: 'gw',
    });

    expect(kind(vrrp('FDO21120001'), vrrp('FDO21120002'))).toBe('different');
  });
});

describe('facts that several devices have', () => {
  const clones: Evidence[] = [1, 2, 3].map((n) => ({
    engineId: '80001f8880aabbccdd11223344',
    sysName: 'template',
    model: 'Linux',
    macs: [`52:54:00:00:00:0${n}`],
  }));

  test('a cloned engine ID does not vote, so that clones of one template stay apart', () => {
    const distrusted = distrustedIn(clones);

    expect(distrusted.engineIds.has('80001f8880aabbccdd11223344')).toBe(true);
    expect(grouped(clones, (each) => each, distrusted)).toHaveLength(3);
  });

  test('a serial that two differently named devices tell at one time does not vote', () => {
    const twins: Evidence[] = [1, 2].map((n) => ({
      serial: 'SN-OF-THE-IMAGE-1',
      vendor: 'HPE',
      sysName: `sw-${n}`,
      macs: [`02:00:00:00:00:0${n}`],
    }));

    expect(grouped(twins, (each) => each, distrustedIn(twins))).toHaveLength(2);
  });

  test('two addresses of one router are one device', () => {
    const router: Evidence = { ...copier, vendor: 'Cisco', macs: ['00:11:22:33:44:01', '00:11:22:33:44:02'] };
    const sightings = [{ ...router }, { ...router }];

    expect(grouped(sightings, (each) => each, distrustedIn(sightings))).toHaveLength(1);
  });

  test('a chain of agreements ties nothing together whose ends contradict each other', () => {
    const a: Evidence = { serial: 'AAAA1111', vendor: 'Dell', macs: ['00:aa:00:00:00:01'], sysName: 'one' };
    const b: Evidence = {
      macs: ['00:aa:00:00:00:01', '00:aa:00:00:00:02'],
      sysName: 'one',
      engineId: '80000000aabb01',
    };
    const c: Evidence = { serial: 'CCCC3333', vendor: 'Dell', macs: ['00:aa:00:00:00:02'], engineId: '80000000aabb01' };

    const groups = grouped([a, b, c], (each) => each, NOTHING_DISTRUSTED);

    expect(groups).toHaveLength(3);
    expect(groups.some(({ doubts }) => doubts.length > 0)).toBe(true);
  });
});

const text = (...choices: string[]) => fc.option(fc.constantFrom(...choices), { nil: undefined });
/** Few values, so that facts agree often. */
const evidence: fc.Arbitrary<Evidence> = fc
  .record({
    serial: text('SER00001', 'SER00002', 'None', '0123456789'),
    vendor: text('HP', 'Dell'),
    engineId: text('8000000001aabbcc', '8000000002aabbcc', '800000000300aa00000001'),
    macs: fc.option(fc.subarray(['00:aa:00:00:00:01', '00:aa:00:00:00:02', '00:aa:00:00:00:03'], { minLength: 1 }), {
      nil: undefined,
    }),
    sysName: text('alpha', 'beta', 'localhost'),
    model: text('M1', 'M2'),
  })
  .map((facts) => Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as Evidence);

describe('for any evidence', () => {
  test('the verdict is the same from either side', () => {
    fc.assert(
      fc.property(evidence, evidence, (a, b) => {
        const [there, back] = [compare(a, b), compare(b, a)];

        expect(back.kind).toBe(there.kind);
        expect(back.agree).toEqual(there.agree);
      }),
      { numRuns: 5_000 },
    );
  });

  test('nothing merges without two agreeing facts, or one serial with its vendor', () => {
    fc.assert(
      fc.property(evidence, evidence, (a, b) => {
        const verdict = compare(a, b);
        if (verdict.kind !== 'same') return;
        const serialWithVendor = verdict.agree.includes('serial') && a.vendor !== undefined && a.vendor === b.vendor;

        expect(serialWithVendor || verdict.agree.length >= 2).toBe(true);
        expect(verdict.against).not.toContain('serial');
      }),
      { numRuns: 20_000 },
    );
  });

  test('the order in which devices are seen changes no group', () => {
    const key = (things: readonly Evidence[]) =>
      things
        .map((each) => JSON.stringify(each))
        .toSorted()
        .join('|');
    fc.assert(
      fc.property(
        fc
          .array(evidence, { maxLength: 12 })
          .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          const groups = (list: readonly Evidence[]) =>
            grouped(list, (each) => each, distrustedIn(list))
              .map(({ members }) => key(members))
              .toSorted();

          expect(groups(shuffled)).toEqual(groups(all));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test('a placeholder changes no verdict', () => {
    fc.assert(
      fc.property(evidence, evidence, fc.constantFrom('None', '00000000', 'N/A'), (a, b, placeholder) => {
        const { serial: _serial, ...without } = a;

        expect(compare({ ...without, serial: placeholder }, b)).toEqual(compare(without, b));
      }),
    );
  });
});
