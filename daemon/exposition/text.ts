/** The Prometheus text format 0.0.4 and OpenMetrics 1.0: how a name, a label and a number are written. Pure. */
import type { CatalogueEntry } from '#collectors/catalogue.ts';
import type { Labels } from '#collectors/contract.ts';

export type Format = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** A label value: backslash, quote and line feed escaped, lone surrogates replaced, so that it is one record for any parser. */
export function escapeLabel(value: string): string {
  const text = value.isWellFormed() ? value : value.toWellFormed();
  // The common case costs one scan and no copy.
  return /[\\"\n]/.test(text) ? text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n') : text;
}

/** What the labels of all series of a device begin with: `{device="fw-1"`. What belongs to the whole site begins with nothing. */
export function deviceText(device: string): string {
  return device === '' ? '' : `{device="${escapeLabel(device)}"`;
}

/** What follows it: `,interface="wan"}`. In alphabetical order, so that equal labels give equal text. */
export function labelText(device: string, labels: Labels): string {
  const text = Object.keys(labels)
    .toSorted()
    .map((name) => `${name}="${escapeLabel(labels[name] ?? '')}"`)
    .join();
  if (device !== '') return text === '' ? '}' : `,${text}}`;
  return text === '' ? '' : `{${text}}`;
}

/** The lines before a family's samples. OpenMetrics names a counter without its `_total`. */
export function familyHeader(
  name: string,
  entry: Pick<CatalogueEntry, 'type' | 'help' | 'unit'>,
  format: Format,
): string {
  if (format === 'text') return `# HELP ${name} ${escapeHelp(entry.help)}\n# TYPE ${name} ${entry.type}\n`;
  const family = entry.type === 'counter' ? name.replace(/_total$/, '') : name;
  const unit = entry.unit !== '' && family.endsWith(`_${entry.unit}`) ? `# UNIT ${family} ${entry.unit}\n` : '';
  return `# TYPE ${family} ${entry.type}\n${unit}# HELP ${family} ${escapeHelp(entry.help).replace(/"/g, '\\"')}\n`;
}

function escapeHelp(help: string): string {
  return help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}
