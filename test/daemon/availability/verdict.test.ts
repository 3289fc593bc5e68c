import { describe, expect, test } from 'vitest';
import type { Evidence, WallTime } from '#collectors/contract.ts';
import { combine, judge, newStanding, type Standing, type Surroundings } from '#daemon/availability/verdict.ts';

const ANSWERED: Evidence = { kind: 'answered' };
const SILENT: Evidence = { kind: 'silent' };
const OWN_FAULT: Evidence = { kind: 'could-not-tell', reason: 'own link down' };

/** Rounds at 0, 1, 2, … from the standing of a device that was up since -10. */
function judgedAfter(rounds: readonly Evidence[], surroundings: Surroundings = {}, begin = up()): Standing {
  return rounds.reduce(
    (standing, evidence, index) => judge(standing, { at: time(index), evidence }, surroundings),
    begin,
  );
}

const time = (at: number): WallTime => at as WallTime;
const up = (): Standing => judge(newStanding(time(-10)), { at: time(-10), evidence: ANSWERED }, {});
const downParent = { state: 'down', silentRounds: 5, lastAnswered: time(-1) } as const;

describe('without a parent', () => {
  test('two silent rounds are not yet an outage, and an answer forgets them', () => {
    expect(judgedAfter([SILENT, SILENT])).toMatchObject({ state: 'up', since: -10, silentRounds: 2 });
    expect(judgedAfter([SILENT, SILENT, ANSWERED])).toMatchObject({ state: 'up', since: -10, silentRounds: 0 });
  });

  test('down after three silent rounds, dated back to the first of them', () => {
    expect(judgedAfter([ANSWERED, SILENT, SILENT, SILENT])).toMatchObject({
      state: 'down',
      since: 1,
      rule: 'silent three rounds',
    });
  });

  test('up again from the first answered round', () => {
    expect(judgedAfter([SILENT, SILENT, SILENT, ANSWERED])).toMatchObject({ state: 'up', since: 3 });
  });

  test('a round that could not tell ends in unknown, from when the silence before it began', () => {
    expect(judgedAfter([ANSWERED, SILENT, OWN_FAULT])).toMatchObject({
      state: 'unknown',
      since: 1,
      rule: 'could not tell',
    });
  });

  test('silence is counted anew after a round that could not tell', () => {
    expect(judgedAfter([SILENT, SILENT, OWN_FAULT, SILENT, SILENT])).toMatchObject({
      state: 'unknown',
      silentRounds: 2,
    });
    expect(judgedAfter([SILENT, SILENT, OWN_FAULT, SILENT, SILENT, SILENT])).toMatchObject({ state: 'down', since: 3 });
  });

  test('an outage that goes on while the appliance cannot tell is no outage for that time', () => {
    expect(judgedAfter([SILENT, SILENT, SILENT, OWN_FAULT])).toMatchObject({ state: 'unknown', since: 3 });
  });

  test('a device that was never seen is unknown until it is judged', () => {
    const never = newStanding(time(-5));

    expect(judgedAfter([SILENT, SILENT], {}, never)).toMatchObject({ state: 'unknown', since: -5 });
    expect(judgedAfter([SILENT, SILENT, SILENT], {}, never)).toMatchObject({ state: 'down', since: 0 });
  });
});

describe('behind a parent', () => {
  test('silent behind a parent that is down is unreachable at once', () => {
    expect(judgedAfter([ANSWERED, SILENT], { parent: downParent })).toMatchObject({ state: 'unreachable', since: 1 });
  });

  test('a child that fell silent first is unreachable from then on, once its parent is found down', () => {
    const silentFirst = judgedAfter([ANSWERED, SILENT, SILENT, SILENT]);
    const parent = { state: 'down', silentRounds: 3, lastAnswered: time(0) } as const;

    expect(silentFirst).toMatchObject({ state: 'down', since: 1 });
    expect(judge(silentFirst, { at: time(4), evidence: SILENT }, { parent })).toMatchObject({
      state: 'unreachable',
      since: 1,
    });
  });

  test('a child that was down while its parent still answered stays down', () => {
    const ownFault = judgedAfter([SILENT, SILENT, SILENT]);
    const parent = { state: 'down', silentRounds: 3, lastAnswered: time(2) } as const;

    expect(judge(ownFault, { at: time(9), evidence: SILENT }, { parent })).toMatchObject({ state: 'down', since: 0 });
  });

  test('a parent that is silent too, but not judged yet, holds the verdict back', () => {
    const parent = { state: 'up', silentRounds: 2, lastAnswered: time(-1) } as const;

    expect(judgedAfter([SILENT, SILENT, SILENT, SILENT, SILENT], { parent })).toMatchObject({ state: 'up' });
    expect(judgedAfter([SILENT, SILENT, SILENT, SILENT, SILENT, SILENT], { parent })).toMatchObject({
      state: 'down',
      since: 0,
    });
  });

  test('still silent when its parent is back, it is down from then on and not from before', () => {
    const behind = judgedAfter([SILENT, SILENT, SILENT, SILENT], { parent: downParent });
    const back = { state: 'up', silentRounds: 0, lastAnswered: time(4) } as const;
    const rounds = [4, 5, 6].map(time);
    const later = rounds.reduce((standing, at) => judge(standing, { at, evidence: SILENT }, { parent: back }), behind);

    expect(behind).toMatchObject({ state: 'unreachable', since: 0 });
    expect(later).toMatchObject({ state: 'down', since: 4 });
  });
});

describe('when nearly all fall silent at once', () => {
  test('nobody is down, and all are unknown from the first silent round', () => {
    expect(judgedAfter([ANSWERED, SILENT, SILENT, SILENT, SILENT], { massLoss: true })).toMatchObject({
      state: 'unknown',
      since: 1,
      rule: 'nearly all fell silent at once',
    });
  });

  test('one that stays silent when the others are back is down from then on', () => {
    const lost = judgedAfter([SILENT, SILENT, SILENT], { massLoss: true });
    const later = [3, 4, 5].reduce((standing, at) => judge(standing, { at: time(at), evidence: SILENT }, {}), lost);

    expect(later).toMatchObject({ state: 'down', since: 3 });
  });
});

describe('the checks of one round together', () => {
  test.each([
    [[ANSWERED, ANSWERED], 'answered'],
    [[ANSWERED, SILENT], 'silent'],
    [[SILENT, OWN_FAULT], 'silent'],
    [[ANSWERED, OWN_FAULT], 'could-not-tell'],
    [[], 'could-not-tell'],
  ] as const)('%j is %s', (evidence, kind) => {
    expect(combine(evidence).kind).toBe(kind);
  });
});
