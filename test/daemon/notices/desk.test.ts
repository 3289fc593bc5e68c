import { describe, expect, test } from 'vitest';
import type { Monotonic, WallTime } from '#collectors/contract.ts';
import { deviceConditions, type NoticedDevice, printerConditions } from '#daemon/notices/conditions.ts';
import { NoticeDesk } from '#daemon/notices/desk.ts';
import type { Condition } from '#daemon/notices/incident.ts';
import { Standstill } from '#daemon/notices/standstill.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const SETTINGS = { remindEvery: 60 * MINUTE, holdFlapping: 5 * MINUTE, settle: 20 * SECOND };
const at = (milliseconds: number): WallTime => (1_790_000_000_000 + milliseconds) as WallTime;

const down = (name = 'fw-1'): Condition => ({
  key: `device:${name}`,
  kind: 'device',
  severity: 'critical',
  title: `${name} is down`,
  lines: [],
  since: at(0),
  device: name,
});

/** What is told when the condition is there at these minutes and not at the others. */
function toldOver(desk: NoticeDesk, minutes: number, isDown: (minute: number) => boolean): string[] {
  const told: string[] = [];
  for (let second = 0; second <= minutes * 60; second += 5) {
    const now = at(second * SECOND);
    const notices = desk.look(isDown(second / 60) ? [down()] : [], now);
    told.push(...notices.map(({ status, flapping }) => `${second / 60} ${status}${flapping ? ' flapping' : ''}`));
  }
  return told;
}

describe('an incident', () => {
  test('is told once when it has lasted, and once when it is over', () => {
    const told = toldOver(new NoticeDesk(SETTINGS), 40, (minute) => minute >= 1 && minute < 30);

    expect(told).toEqual([`${1 + 20 / 60} opened`, '30 resolved']);
  });

  test('that is over before it has lasted is not told', () => {
    expect(toldOver(new NoticeDesk(SETTINGS), 5, (minute) => minute < 0.25)).toEqual([]);
  });

  test('that lasts is told again', () => {
    const told = toldOver(new NoticeDesk(SETTINGS), 130, () => true);

    expect(told).toEqual([`${20 / 60} opened`, `${60 + 20 / 60} reminder`, `${120 + 20 / 60} reminder`]);
  });

  test('that comes and goes every minute is told once, and over when it stays away', () => {
    const told = toldOver(new NoticeDesk(SETTINGS), 40, (minute) => minute < 20 && Math.floor(minute) % 2 === 0);

    expect(told).toEqual([`${20 / 60} opened`, '24 resolved flapping']);
  });

  test('that comes back soon after it was over says so', () => {
    const told = toldOver(new NoticeDesk(SETTINGS), 40, (minute) => minute < 10 || (minute >= 12 && minute < 13));

    expect(told).toEqual([
      `${20 / 60} opened`,
      '10 resolved',
      `${12 + 20 / 60} opened flapping`,
      '18 resolved flapping',
    ]);
  });

  test('outside the hours in which somebody wants to know waits for them', () => {
    const desk = new NoticeDesk(SETTINGS);

    expect(desk.look([down()], at(0), () => false)).toEqual([]);
    expect(desk.look([down()], at(60 * MINUTE), () => false)).toEqual([]);
    expect(desk.look([down()], at(61 * MINUTE), () => true)).toMatchObject([{ status: 'opened' }]);
  });

  test('that was open before a restart is not told again', () => {
    const before = new NoticeDesk(SETTINGS);
    before.look([down()], at(0));
    before.look([down()], at(MINUTE));

    const after = new NoticeDesk(SETTINGS, before.incidents);

    expect(after.look([down()], at(2 * MINUTE))).toEqual([]);
    expect(after.look([], at(20 * MINUTE))).toMatchObject([{ status: 'resolved' }]);
  });
});

const device = (name: string, state: NoticedDevice['state'], more: Partial<NoticedDevice> = {}): NoticedDevice => ({
  name,
  address: '192.0.2.1',
  class: 'server',
  state,
  live: state,
  since: at(0),
  rule: state === 'up' ? 'answered' : 'silent three rounds',
  parents: [],
  ...more,
});

describe('conditions of devices', () => {
  test('a dead parent is one condition, with the devices behind it listed', () => {
    const children = Array.from({ length: 49 }, (_, index) =>
      device(`pc-${index}`, 'unreachable', { parents: ['sw-1', 'fw-1'] }),
    );
    const conditions = deviceConditions(
      [device('fw-1', 'down'), device('sw-1', 'unreachable', { parents: ['fw-1'] }), ...children],
      true,
    );

    expect(conditions).toMatchObject([
      { key: 'device:fw-1', title: 'fw-1 is down, 50 devices behind it cannot be reached' },
    ]);
    expect(conditions[0]?.lines).toHaveLength(51);
  });

  test('all that siteward cannot see is one condition', () => {
    const blind = Array.from({ length: 50 }, (_, index) =>
      device(`pc-${index}`, 'unknown', { rule: 'could not tell' }),
    );

    expect(deviceConditions(blind, true)).toMatchObject([
      { key: 'siteward:blind', title: 'siteward cannot see 50 of 50 devices' },
    ]);
  });

  test('a device that was not asked yet is no condition', () => {
    expect(deviceConditions([device('a', 'unknown', { rule: 'no evidence yet' })], true)).toEqual([]);
  });

  test('maintenance is quiet, unless it is asked to be told', () => {
    const patched = device('srv-1', 'down', { live: 'maintenance' });

    expect(deviceConditions([patched], true)).toEqual([]);
    expect(deviceConditions([patched], false)).toMatchObject([{ key: 'device:srv-1' }]);
  });

  test('a printer is told when somebody has to walk to it, and not for low toner', () => {
    const error = (name: string) => ({ metric: 'siteward_printer_error', labels: { error: name }, value: 1 }) as const;
    const conditions = printerConditions([{ name: 'prn-1', readings: [error('jammed'), error('low_toner')] }], () =>
      at(0),
    );

    expect(conditions).toMatchObject([{ key: 'printer:prn-1:jammed', title: 'prn-1 has a paper jam' }]);
  });

  test('a standstill of siteward is told once and is over, a short one and a set clock are not told', () => {
    let now = 0;
    const standstill = new Standstill({ monotonicNow: () => now as Monotonic });
    const desk = new NoticeDesk(SETTINGS);
    const told = Array.from({ length: 100 }, (_, index) => {
      now = index * 5_000;
      if (index === 2) standstill.interrupted('stalled', at(0), at(MINUTE / 2));
      if (index === 4) standstill.interrupted('clock set', at(0), at(60 * MINUTE));
      if (index === 6) standstill.interrupted('stalled', at(0), at(10 * MINUTE));
      return desk.look(standstill.conditions(), at(10 * MINUTE + now));
    }).flat();

    expect(told).toMatchObject([
      { status: 'opened', condition: { title: 'siteward stood still for 0:10:00', since: at(0) } },
      { status: 'resolved', condition: { key: 'siteward:stood-still' } },
    ]);
  });
});
