/**
 * Writes what is generated in `dashboards/`: Grafana's boards as JSON, and the renaming for a VictoriaMetrics that takes
 * line protocol. `npx node scripts/generate-dashboards.ts`; a test keeps both current.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from '../dashboards/grafana/boards.ts';
import { relabelling } from '../dashboards/victoriametrics/relabelling.ts';

export const BOARDS_FOLDER = fileURLToPath(new URL('../dashboards/grafana/generated', import.meta.url));
export const RELABELLING_FILE = fileURLToPath(new URL('../dashboards/victoriametrics/relabel.yml', import.meta.url));

function generate(): void {
  const files = generatedFiles();
  mkdirSync(BOARDS_FOLDER, { recursive: true });
  for (const name of readdirSync(BOARDS_FOLDER)) if (!files.has(name)) rmSync(join(BOARDS_FOLDER, name));
  for (const [name, text] of files) writeFileSync(join(BOARDS_FOLDER, name), text);
  mkdirSync(dirname(RELABELLING_FILE), { recursive: true });
  writeFileSync(RELABELLING_FILE, relabelling());
}

if (import.meta.main) generate();
