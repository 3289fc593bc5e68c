export interface Figure {
  readonly what: string;
  readonly siteward: string;
  readonly beside: string;
  readonly ratio: string;
  readonly goal: string;
}

export function printTable(figures: readonly Figure[]): void {
  const head: Figure = { what: 'what', siteward: 'siteward', beside: 'beside it', ratio: 'ratio', goal: 'goal' };
  const keys = ['what', 'siteward', 'beside', 'ratio', 'goal'] as const;
  const widths = keys.map((key) => Math.max(...[head, ...figures].map((figure) => figure[key].length)));
  for (const figure of [head, ...figures])
    console.log(`| ${keys.map((key, index) => figure[key].padEnd(widths[index] ?? 0)).join(' | ')} |`);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const ms = (seconds: number) => `${(seconds * 1000).toFixed(2)} ms`;
