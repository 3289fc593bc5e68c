/** Page counters, supplies and trays. */
import type { ReadingSource } from '#collectors/contract.ts';
import { optional, plain } from './amounts.ts';
import { numberOf, textOf } from './cell.ts';
import { type CompiledKind, type Kind, nameText, type Output } from './labels.ts';
import type { Scope, Trace } from './scope.ts';
import {
  inverted,
  SUPPLY_STATES,
  type SupplyState,
  supplyColor,
  supplyDescription,
  supplyLevel,
  supplyState,
  supplyType,
  trayLevel,
} from './supplies.ts';
import { type CompileContext, compileValue, type Test, traced } from './value.ts';

/** Digits as number or text, or octets packed in a way that the profile knows. */
const COUNT = /^(?:\d+|0x[\da-f]+)$/;

/** More pages than any printer makes in its life. */
const MOST_PAGES = 10_000_000_000n;

export function meterReading(reading: Kind<'meter'>, context: CompileContext): CompiledKind {
  const metric = 'siteward_printer_meter_pages_total';
  const value = compileValue(reading.value, context);
  const unit = compileValue(reading.unit, context);
  return {
    nameKey: '',
    emit(scope, _unique, output) {
      const { cell, trace } = traced(value, scope);
      if (cell === undefined) return false;
      const unitText = textOf(unit(scope));
      if (unitText === undefined || unitText === '') return false;
      const number = numberOf(cell);
      const pages = number === undefined || !isWhole(number) ? undefined : BigInt(number);
      // A sum of counts and of something else is no count, even where it looks like one.
      const odd = trace.find(({ raw }) => !COUNT.test(raw)) ?? trace[0];
      if (pages === undefined || pages < 0n || pages > MOST_PAGES || (odd && !COUNT.test(odd.raw))) {
        if (odd) output.refuse(metric, odd);
        return false;
      }
      const labels = output.labels({ meter: reading.meter });
      output.add(metric, labels, pages, sourceOf(trace, unitText));
      return true;
    },
  };
}

function isWhole(number: number | bigint): boolean {
  return typeof number === 'bigint' || Number.isSafeInteger(number);
}

function sourceOf(trace: readonly Trace[], unit: string): ReadingSource {
  return {
    oid: trace.map(({ oid }) => oid).join('+'),
    unit,
    raw: trace.map(({ raw }) => raw).join('+'),
  };
}

export function supplyReading(reading: Kind<'supply'>, context: CompileContext): CompiledKind {
  const name = compileValue(reading.supply, context);
  const description = optional(reading.description, context);
  const level = compileValue(reading.level, context);
  const max = optional(reading.max, context);
  const unit = optional(reading.unit, context);
  const supplyClass = optional(reading.class, context);
  const type = optional(reading.type, context);
  const color = optional(reading.color, context);
  const state = optional(reading.state, context);
  const filled: Test =
    typeof reading.inverted === 'boolean'
      ? () => reading.inverted === true
      : (
          (evaluate) => (scope: Scope) =>
            numberOf(evaluate(scope)) === 1
        )(optional(reading.inverted, context));
  return {
    name: (scope) => nameText(name(scope)),
    nameKey: JSON.stringify(reading),
    emit(scope, unique, output) {
      const text = nameText(name(scope));
      const raw = plain(level, scope);
      if (text === undefined || raw === undefined) return false;
      const words = nameText(description(scope)) ?? '';
      const kindClass = plain(supplyClass, scope);
      const typeCell = type(scope);
      const kind = supplyType(plain(() => typeCell, scope) ?? textOf(typeCell), words, kindClass);
      const shade = supplyColor(textOf(color(scope)), words, kind);
      const measured = supplyLevel(raw, plain(max, scope), plain(unit, scope));
      const left = filled(scope) ? inverted(measured) : measured;
      const supply = unique(text);
      const about = output.labels({ supply, description: supplyDescription(words), type: kind, color: shade });
      output.add('siteward_printer_supply_info', about, 1);
      if (left.kind === 'known') {
        output.add('siteward_printer_supply_level_ratio', about, left.ratio);
      }
      const stated = SUPPLY_STATES.find((each) => each === textOf(state(scope)));
      emitState(supply, stated ?? supplyState(left), output);
      return true;
    },
  };
}

function emitState(supply: string, state: SupplyState, output: Output): void {
  for (const each of SUPPLY_STATES) {
    const labels = output.labels({ supply, state: each });
    output.add('siteward_printer_supply_state', labels, each === state ? 1 : 0);
  }
}

export function trayReading(reading: Kind<'tray'>, context: CompileContext): CompiledKind {
  const name = compileValue(reading.tray, context);
  const level = compileValue(reading.level, context);
  const max = compileValue(reading.max, context);
  const unit = optional(reading.unit, context);
  return {
    name: (scope) => nameText(name(scope)),
    nameKey: JSON.stringify(reading),
    emit(scope, unique, output) {
      const text = nameText(name(scope));
      const raw = plain(level, scope);
      if (text === undefined || raw === undefined) return false;
      const found = trayLevel(raw, plain(max, scope), plain(unit, scope));
      if (found.kind === 'known') {
        const labels = output.labels({ tray: unique(text) });
        output.add('siteward_printer_input_level_ratio', labels, found.ratio);
      }
      return true;
    },
  };
}
