import { expect, onTestFinished, test } from 'vitest';
import type { Observation, WallTime } from '#collectors/contract.ts';
import { SupplyKeeper } from '#daemon/meters/supply-keeper.ts';
import { observation, reading } from '../../support/observations.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { DAY, HOUR, openSite } from './site.ts';

const START = Date.UTC(2024, 0, 1);
const LEVELS = 'SELECT at, level FROM meter_supplies WHERE printer = ? AND supply = ? ORDER BY at';

function levels(at: number, ratios: Readonly<Record<string, number>>): Observation {
  const readings = Object.entries(ratios).map(([supply, value]) =>
    reading('siteward_printer_supply_level_ratio', value, {
      supply,
      description: supply,
      type: 'toner',
      color: 'black',
    }),
  );
  return observation('printer', at, readings, { groups: [{ name: 'supplies', readings }] });
}

async function site() {
  const opened = await openSite();
  onTestFinished(() => opened.remove());
  const keeper = new SupplyKeeper(opened.ledger, recordingLogger());
  const kept = async (printer: string, supply: string) =>
    (await opened.database.read(LEVELS, [printer, supply])).map(({ at, level }) => [
      (Number(at) - START) / DAY,
      Number(level),
    ]);
  return { ...opened, keeper, kept };
}

test('levels of two months ago are kept one a day, older ones than wanted not at all, and the last one always', async () => {
  const { ledger, keeper, kept } = await site();
  // Six steps a day for 500 days; a drum that was seen once, at the beginning.
  await keeper.take('prn', 'Acme:1', levels(START, { drum: 0.8 }));
  for (let step = 0; step < 500 * 6; step += 1)
    await keeper.take('prn', 'Acme:1', levels(START + step * 4 * HOUR, { black: (100 - (step % 100)) / 100 }));
  const now = START + 500 * DAY;

  await ledger.forgetSupplyLevels((now - 60 * DAY) as WallTime, (now - 400 * DAY) as WallTime);
  const black = await kept('Acme:1', 'black');
  const again = await ledger.forgetSupplyLevels((now - 60 * DAY) as WallTime, (now - 400 * DAY) as WallTime);

  expect(black.filter(([day = 0]) => day < 100)).toEqual([]);
  expect(black.filter(([day = 0]) => day >= 100 && day < 440)).toHaveLength(340);
  expect(black.filter(([day = 0]) => day >= 440)).toHaveLength(60 * 6);
  // The last of the day: 20:00.
  expect(black[0]).toEqual([100 + 20 / 24, 100 - ((100 * 6 + 5) % 100)]);
  expect(await kept('Acme:1', 'drum')).toEqual([[0, 80]]);
  expect(again).toBe(0);
});

test('a level that flickers by one is kept once an hour, a larger step at once', async () => {
  const { keeper, kept } = await site();

  for (let minute = 0; minute < 240; minute += 1)
    await keeper.take('prn', 'Acme:1', levels(START + minute * 60_000, { black: minute % 2 === 0 ? 0.5 : 0.51 }));
  await keeper.take('prn', 'Acme:1', levels(START + 240 * 60_000, { black: 0.3 }));

  const black = await kept('Acme:1', 'black');
  expect(black.length).toBeLessThanOrEqual(6);
  expect(black.at(-1)).toEqual([240 / 1440, 30]);
});
