/**
 * VictoriaMetrics names what comes as line protocol `measurement_field`. With these rules (`-relabelConfig` of a single
 * node or of vminsert) it gets the names of `/metrics` instead, and one set of boards and rules serves both ways in.
 */
import { CATALOGUE, METRIC_NAMES } from '#collectors/catalogue.ts';

/** The rules as YAML. Only what carries a site and a client is renamed, whatever else comes in by line protocol. */
export function relabelling(): string {
  const rules = METRIC_NAMES.map((metric) => {
    const { measurement, field } = CATALOGUE[metric].influx;
    return [
      '- action: replace',
      `  if: '${measurement}_${field}{client!="",site!=""}'`,
      '  target_label: __name__',
      `  replacement: ${metric}`,
    ].join('\n');
  });
  return `# Made by scripts/generate-dashboards.ts from collectors/catalogue.ts; do not edit.\n${rules.join('\n')}\n`;
}
