import { expect, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import type { Party } from '#daemon/availability/entries.ts';
import { partyOf } from '#daemon/availability/overlays.ts';

const at = (minute: number): WallTime => (Date.UTC(2026, 9, 5, 10) + minute * 60_000) as WallTime;
const OUTAGE = { from: at(0), to: at(30) };
/** What the site told: a UPS ran on battery when it began. */
const PIECES = [{ ...OUTAGE, state: 'down', cause: 'silent three rounds', detail: { party: 'power' } }] as const;
const said = (party: Party | undefined, from: number, to: number, entered: number) => ({
  device: 'srv-1',
  from: at(from),
  to: at(to),
  author: 'K. Weber',
  reason: 'ticket 4711',
  recorded: at(entered),
  ...(party === undefined ? { state: 'up' as const } : { party }),
});

test('the site says who answers for an outage, until a person says otherwise; the last word stands', () => {
  expect(partyOf(OUTAGE, PIECES, [])).toBe('power');
  expect(partyOf(OUTAGE, PIECES, [said('carrier', 0, 30, 60)])).toBe('carrier');
  expect(partyOf(OUTAGE, PIECES, [said('carrier', 0, 30, 60), said('msp', 0, 30, 90)])).toBe('msp');
});

test('a word on another time, or on the state alone, leaves the party as it was', () => {
  expect(partyOf(OUTAGE, PIECES, [said('carrier', 30, 40, 60), said('carrier', -10, 0, 60)])).toBe('power');
  expect(partyOf(OUTAGE, PIECES, [said(undefined, 10, 30, 60)])).toBe('power');
});
