import { expect, test } from 'vitest';
import type { Evidence, WallTime } from '#collectors/contract.ts';
import { judge, newStanding } from '#daemon/availability/verdict.ts';
import { seededRandom } from '../../support/random.ts';

const ECHO_REQUESTS = 3;
const VERDICTS = 1_000_000;

/** Whether each packet of one round is lost. */
type Link = () => readonly boolean[];

function evenLink(random: () => number, loss: number): Link {
  return () => Array.from({ length: ECHO_REQUESTS }, () => random() < loss);
}

/** Loss in bursts (Gilbert and Elliott): the same share in all, but lost packets keep company. None outlasts a round. */
function burstyLink(random: () => number, loss: number, burst: number): Link {
  const leave = 1 / burst;
  const enter = (loss * leave) / (1 - loss);
  return () => {
    let bad = random() < loss;
    return Array.from({ length: ECHO_REQUESTS }, (_, packet) => {
      if (packet > 0) bad = bad ? random() >= leave : random() < enter;
      return bad;
    });
  };
}

function falseDowns(link: Link): number {
  let standing = newStanding(0 as WallTime);
  let downs = 0;
  for (let round = 0; round < VERDICTS; round += 1) {
    const evidence: Evidence = { kind: link().includes(false) ? 'answered' : 'silent' };
    const before = standing.state;
    standing = judge(standing, { at: (round * 15_000) as WallTime, evidence }, {});
    if (standing.state === 'down' && before !== 'down') downs += 1;
  }
  return downs;
}

test('1 % loss calls no device down more than five times in a million verdicts', () => {
  const random = seededRandom(20261001);

  expect(falseDowns(evenLink(random, 0.01))).toBeLessThanOrEqual(5);
});

test('20 % loss calls no device down more than five times in a million verdicts', () => {
  const random = seededRandom(20261002);

  expect(falseDowns(evenLink(random, 0.2))).toBeLessThanOrEqual(5);
});

test('1 % loss in bursts of three packets calls no device down more than five times in a million verdicts', () => {
  expect(falseDowns(burstyLink(seededRandom(20261003), 0.01, 3))).toBeLessThanOrEqual(5);
});
