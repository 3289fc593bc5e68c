/** Labels that stay the same objects from round to round, by which the sinks know a series again. */
import type { Labels } from './contract.ts';

export const NO_LABELS: Labels = {};

/** Makes `{[name]: value}`, once for each value. For values of which a site has few: nothing is ever let go. */
export function labelsBy(name: string): (value: string) => Labels {
  const made = new Map<string, Labels>();
  return (value) => {
    const known = made.get(value);
    if (known) return known;
    const labels = { [name]: value };
    made.set(value, labels);
    return labels;
  };
}
