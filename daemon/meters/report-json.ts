/** The meter report as JSON: the keys of the public contract, and more beside them. */
import type { WallTime } from '#collectors/contract.ts';
import { isoInstant } from '../calendar.ts';
import type { PeriodResult } from './books.ts';
import type { BoundingRead, CutValue } from './curve.ts';
import type { MeterLine, PrinterPeriod } from './period-row.ts';
import { METERS } from './read.ts';
import type { MeterReport } from './report.ts';

export function meterReportJson(report: MeterReport): Record<string, unknown> {
  const { site, period, made } = report;
  const iso = (at: WallTime) => isoInstant(at, site.timezone);
  return {
    site: site.id,
    client: site.client,
    made: iso(made),
    period: { from: iso(period.from), to: iso(period.to) },
    contracts: report.results.map(contractJson),
    not_read: report.notRead.map(({ device, printer, lastRead, days, step, note }) => ({
      device,
      printer,
      last_read: lastRead === undefined ? null : iso(lastRead),
      days,
      step,
      note: note ?? null,
    })),
    no_contract: report.noContract,
    not_seen: report.notSeen,
    supplies_to_order: report.toOrder.map(({ left, level, ...supply }) => ({
      ...supply,
      level_ratio: level / 100,
      days_left: left?.days ?? null,
      days_left_low: left?.low ?? null,
      days_left_high: left?.high ?? null,
    })),
    supplies_replaced: report.replaced.map(({ at, left, now, ...supply }) => ({
      ...supply,
      at: iso(at),
      left_ratio: left / 100,
      now_ratio: now / 100,
    })),
  };
}

function contractJson({ contract, printers, closed }: PeriodResult): Record<string, unknown> {
  const { terms } = contract;
  const iso = (at: WallTime) => isoInstant(at, terms.timezone);
  return {
    contract: contract.contract,
    period: { from: iso(contract.from), to: iso(contract.to) },
    closed,
    timezone: terms.timezone,
    devices: printers.map((printer) => printerJson(printer, iso)),
    currency: contract.total === null ? null : terms.currency,
    charges: contract.bill.charges.map(({ meter, as, device, pages, included, steps, amount }) => ({
      meter,
      as,
      device,
      pages,
      included,
      steps,
      amount,
    })),
    minimum_added: contract.bill.minimum,
    adjustments: contract.adjustments.map(({ period, pages, amount }) => ({
      from: iso(period.from),
      to: iso(period.to),
      pages: pages.map(({ device, pages: byMeter }) => ({ device, meters: byMeter })),
      amount,
    })),
    total: contract.total,
  };
}

function printerJson(printer: PrinterPeriod, iso: (at: WallTime) => string): Record<string, unknown> {
  return {
    device: printer.device,
    serial: printer.serial ?? null,
    printer: printer.printer,
    vendor: printer.vendor ?? null,
    model: printer.model ?? null,
    meters: Object.fromEntries(
      METERS.flatMap((meter) => {
        const line = printer.meters[meter];
        return line ? [[meter, lineJson(line, iso)]] : [];
      }),
    ),
    adjustments: printer.adjustments.map(({ period, meter, pages, reason }) => ({
      from: iso(period.from),
      to: iso(period.to),
      meter,
      pages,
      reason,
    })),
    flags: printer.flags.map(({ code, meter, pages, text }) => ({
      code,
      meter: meter ?? null,
      pages: pages ?? null,
      message: text,
    })),
  };
}

function lineJson({ opening, closing, used, class: kind }: MeterLine, iso: (at: WallTime) => string) {
  const reads = ({ reads: all }: CutValue) =>
    all.map(({ device, number, at, counter }: BoundingRead) => ({ read: `${device}#${number}`, at: iso(at), counter }));
  return {
    opening: opening.counter,
    closing: closing.counter,
    used,
    class: kind,
    opening_class: opening.class,
    opening_reads: reads(opening),
    closing_reads: reads(closing),
  };
}
