/** Server-sent events (HTML, 9.2): what changes on the overview, one text for all who look. */
import type { ServerResponse } from 'node:http';
import { timeText } from './format.ts';
import { shownText } from './html.ts';
import { devicePath } from './pages/layout.ts';
import { headline, sinceText, stateWord, toneOf } from './pages/overview.ts';
import type { Snapshots } from './snapshot.ts';

const EVERY = 5_000;
/** An event that says nothing new keeps the connection from being taken for dead, and the time on the page true. */
const AT_LEAST_EVERY = 4;
const MOST_LISTENERS = 200;
const MOST_WRONG = 100;

interface Audience {
  readonly listeners: Set<ServerResponse>;
  /** Tone and word of each device, as last told. */
  told: Map<string, string>;
  /** All but the time, as last told. */
  last: string;
  quiet: number;
}

export class Live {
  readonly #snapshots: Snapshots;
  readonly #audiences = new Map<string, Audience>();
  #timer: NodeJS.Timeout | undefined;

  constructor(snapshots: Snapshots) {
    this.#snapshots = snapshots;
  }

  /** Tells a browser what changes from now on, until it goes away. */
  async listen(response: ServerResponse, language: string): Promise<void> {
    const audience = this.#audience(language);
    if (audience.listeners.size >= MOST_LISTENERS) {
      response.writeHead(503, { 'Retry-After': '60' }).end();
      return;
    }
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    response.write(`retry: 5000\n\n`);
    audience.listeners.add(response);
    this.#timer ??= setInterval(() => this.#tick(), EVERY).unref();
    await new Promise<void>((resolve) => response.once('close', resolve));
    audience.listeners.delete(response);
    if ([...this.#audiences.values()].every(({ listeners }) => listeners.size === 0)) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#audiences.clear();
    }
  }

  #audience(language: string): Audience {
    let audience = this.#audiences.get(language);
    if (!audience) {
      audience = { listeners: new Set(), told: this.#tones(language), last: '', quiet: 0 };
      this.#audiences.set(language, audience);
    }
    return audience;
  }

  #tick(): void {
    for (const [language, audience] of this.#audiences) {
      if (audience.listeners.size === 0) continue;
      const { body, asOf } = this.#event(language, audience);
      audience.quiet += 1;
      if (body === audience.last && audience.quiet < AT_LEAST_EVERY) continue;
      audience.last = body;
      audience.quiet = 0;
      const text = `event: site\ndata: ${JSON.stringify({ as_of: asOf })}\ndata: ${body}\n\n`;
      // A browser that reads nothing for long would fill memory: it comes back by itself.
      for (const listener of audience.listeners)
        if (!listener.write(text) && listener.writableLength > 1_000_000) listener.destroy();
    }
  }

  #event(language: string, audience: Audience): { body: string; asOf: string } {
    const words = this.#snapshots.words(language);
    const snapshot = this.#snapshots.now(language);
    const { states, overview } = words.messages;
    const tones = this.#tones(language);
    const changed = [...tones].filter(([name, tone]) => audience.told.get(name) !== tone);
    audience.told = tones;
    const counts = Map.groupBy(snapshot.devices, ({ state }) => state);
    const body = JSON.stringify({
      ...headline(snapshot, words),
      figures: [...counts].map(([state, devices]) => [devices.length, states[state]]),
      wrong: snapshot.wrong.slice(0, MOST_WRONG).map((device) => ({
        name: shownText(device.name),
        path: devicePath(device.name),
        tone: toneOf(device),
        state: stateWord(device, words),
        text: shownText(device.findings.map(({ text }) => text).join(' · ')),
        since: device.state === 'up' ? '' : sinceText(device, snapshot.at, words),
      })),
      changed: changed.map(([name, tone]) => [shownText(name), ...tone.split('\t')]),
    });
    return { body, asOf: overview.asOf(timeText(snapshot.at, words, 'time')) };
  }

  #tones(language: string): Map<string, string> {
    const words = this.#snapshots.words(language);
    return new Map(
      this.#snapshots
        .now(language)
        .devices.map((device) => [device.name, `${toneOf(device)}\t${stateWord(device, words)}`]),
    );
  }
}
