import { execFile } from 'node:child_process';

/**
 * Tells systemd how the service is, by its own `systemd-notify`: Node.js has no datagram sockets for files, and no npm
 * package for this compiles without a compiler. Without a service manager nothing happens.
 */
export class ServiceManager {
  readonly #socket: string | undefined;
  readonly #watchdog: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.#socket = env.NOTIFY_SOCKET;
    this.#watchdog = Number(env.WATCHDOG_USEC ?? 0) / 1000;
  }

  ready(status: string): void {
    this.#notify('READY=1', `STATUS=${status}`);
    if (this.#watchdog <= 0) return;
    // Three signs of life per watchdog interval: one may come late without harm.
    this.#timer = setInterval(() => this.#notify('WATCHDOG=1'), this.#watchdog / 3);
    this.#timer.unref();
  }

  stopping(): void {
    clearInterval(this.#timer);
    this.#notify('STOPPING=1');
  }

  #notify(...assignments: string[]): void {
    if (this.#socket === undefined) return;
    const child = execFile('systemd-notify', assignments, { timeout: 5_000 }, () => undefined);
    child.unref();
  }
}
