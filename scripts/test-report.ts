/** Prints `N passed, N failed, N skipped` from the report that the test runner wrote. Without one, something before it failed. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export const REPORT_FILE = resolve(import.meta.dirname, '../node_modules/.cache/siteward/test-report.json');

export function summary(): string {
  if (!existsSync(REPORT_FILE)) return '0 passed, 1 failed, 0 skipped';
  const report = JSON.parse(readFileSync(REPORT_FILE, 'utf8'));
  const suites: number = report.testResults.filter(
    (file: { status: string; assertionResults: unknown[] }) =>
      file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  return `${report.numPassedTests} passed, ${report.numFailedTests + suites} failed, ${report.numPendingTests + report.numTodoTests} skipped`;
}

if (import.meta.main) console.log(summary());
