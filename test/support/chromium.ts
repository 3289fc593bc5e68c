/** Debian's Chromium, by itself and asking nobody outside: no root's sandbox, no updates, no first-run pages. */
export const CHROMIUM = '/usr/bin/chromium';

export const CHROMIUM_OPTIONS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
