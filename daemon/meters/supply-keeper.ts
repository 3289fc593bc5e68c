/** Keeps the levels of supplies as they change, notes replacements, and says how long each will last. */
import type { Observation, Reading, WallTime } from '#collectors/contract.ts';
import type { Logger } from '../log.ts';
import type { MeterLedger } from './ledger.ts';
import { daysLeft, type SupplyLevel, sinceReplaced, wasReplaced } from './supplies.ts';

interface Supply {
  readonly supply: string;
  levels: SupplyLevel[];
}

const FLICKER = 3_600_000;
/** Levels that are looked at for a pace. */
const KEPT = 200;

export class SupplyKeeper {
  readonly #ledger: MeterLedger;
  readonly #log: Logger;
  readonly #devices = new Map<string, { readonly printer: string; readonly supplies: Map<string, Supply> }>();

  constructor(ledger: MeterLedger, log: Logger) {
    this.#ledger = ledger;
    this.#log = log;
  }

  async take(device: string, printer: string, { at, groups }: Observation): Promise<void> {
    const readings = groups
      .find(({ name }) => name === 'supplies')
      ?.readings.filter(({ metric }) => metric === 'siteward_printer_supply_level_ratio');
    if (!readings || readings.length === 0) return;
    let known = this.#devices.get(device);
    if (known?.printer !== printer) {
      known = { printer, supplies: await this.#recall(printer) };
      this.#devices.set(device, known);
    }
    for (const { labels, value } of readings) {
      const supply = labels['supply'] ?? '';
      const description = labels['description'] ?? '';
      const level = Math.round(Number(value) * 100);
      let kept = known.supplies.get(supply);
      if (!kept) {
        kept = { supply, levels: [] };
        known.supplies.set(supply, kept);
      }
      const last = kept.levels.at(-1);
      if (last && (last.level === level || at <= last.at)) continue;
      // A level that flickers by one is not kept with each poll.
      if (last && Math.abs(last.level - level) <= 1 && at - last.at < FLICKER) continue;
      const about = { description, type: labels['type'] ?? '', color: labels['color'] ?? '' };
      await this.#ledger.addSupplyLevel(printer, supply, at, level, JSON.stringify(about));
      kept.levels.push({ at, level });
      if (kept.levels.length > KEPT) kept.levels = [...sinceReplaced(kept.levels)].slice(-KEPT);
      if (!last || !wasReplaced(last.level, level)) continue;
      this.#log.info('a supply was replaced', { device, supply: description, left: last.level, now: level });
      await this.#ledger.enter(
        'supply-replaced',
        { device, printer, supply, description, left: last.level, now: level },
        at,
      );
    }
  }

  daysLeft(device: string, now: WallTime): Reading[] {
    return [...(this.#devices.get(device)?.supplies.values() ?? [])].flatMap(({ supply, levels }): Reading[] => {
      const left = daysLeft(levels, now);
      return left ? [{ metric: 'siteward_printer_supply_days_left', labels: { supply }, value: left.days }] : [];
    });
  }

  async #recall(printer: string): Promise<Map<string, Supply>> {
    const supplies = new Map<string, Supply>();
    for (const { supply, at, level } of await this.#ledger.supplyLevels(printer, KEPT * 10)) {
      const known = supplies.get(supply) ?? { supply, levels: [] };
      known.levels.push({ at, level });
      supplies.set(supply, known);
    }
    return supplies;
  }
}
