/** One thing that `siteward doctor` looked at. */
export interface Finding {
  /** `storage`, `output central`, … */
  readonly check: string;
  /** `warning`: it works, and should be looked at. `fault`: it does not work. */
  readonly state: 'good' | 'warning' | 'fault';
  readonly message: string;
  /** What to do. */
  readonly advice?: string;
}

export const good = (check: string, message: string): Finding => ({ check, state: 'good', message });
export const warning = (check: string, message: string, advice: string): Finding => ({
  check,
  state: 'warning',
  message,
  advice,
});
export const fault = (check: string, message: string, advice: string): Finding => ({
  check,
  state: 'fault',
  message,
  advice,
});

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
