/** Decides what is told: when a condition becomes an incident, is repeated, and is over. Pure; `now` is an argument. */
import type { WallTime } from '#collectors/contract.ts';
import type { Condition, Incident, Notice } from './incident.ts';

export interface DeskSettings {
  /** How often an incident that lasts is told again. */
  readonly remindEvery: number;
  /** A condition that comes and goes more often than this is told once. */
  readonly holdFlapping: number;
  /** How long a condition must last before it is told: parents are judged in this time, and children found behind them. */
  readonly settle: number;
}

/** Whether somebody wants to be told of it now. What is held back is told as soon as this changes, if it still lasts. */
export type Hours = (condition: Condition) => boolean;

interface Open {
  incident: Incident;
  /** Since when the condition is gone; undefined while it lasts. */
  clearSince: WallTime | undefined;
}

/** Keeps the open incidents. Level-triggered: told at each look what is so, it says what is new. */
export class NoticeDesk {
  readonly #open = new Map<string, Open>();
  readonly #pending = new Map<string, WallTime>();
  readonly #resolved = new Map<string, WallTime>();
  settings: DeskSettings;

  constructor(settings: DeskSettings, incidents: readonly Incident[] = []) {
    this.settings = settings;
    for (const incident of incidents) this.#open.set(incident.condition.key, { incident, clearSince: undefined });
  }

  get incidents(): readonly Incident[] {
    return [...this.#open.values()].map(({ incident }) => incident);
  }

  /** Takes everything that is so at `now`. @returns what is to be told */
  look(conditions: readonly Condition[], now: WallTime, wanted: Hours = () => true): Notice[] {
    const present = new Map(conditions.map((condition) => [condition.key, condition]));
    return [
      ...this.#appeared(present, now, wanted),
      ...this.#lasting(present, now, wanted),
      ...this.#gone(present, now),
    ];
  }

  #appeared(present: ReadonlyMap<string, Condition>, now: WallTime, wanted: Hours): Notice[] {
    const notices: Notice[] = [];
    for (const key of this.#pending.keys()) if (!present.has(key)) this.#pending.delete(key);
    for (const [key, condition] of present) {
      if (this.#open.has(key)) continue;
      const first = this.#pending.get(key) ?? now;
      this.#pending.set(key, first);
      if (now - first < this.settings.settle || !wanted(condition)) continue;
      this.#pending.delete(key);
      const flapping = now - (this.#resolved.get(key) ?? Number.NEGATIVE_INFINITY) < this.settings.holdFlapping;
      this.#open.set(key, { incident: { condition, opened: now, reminded: now, flapping }, clearSince: undefined });
      notices.push({ status: 'opened', condition, flapping, at: now });
    }
    return notices;
  }

  #lasting(present: ReadonlyMap<string, Condition>, now: WallTime, wanted: Hours): Notice[] {
    const notices: Notice[] = [];
    for (const [key, open] of this.#open) {
      const condition = present.get(key);
      if (!condition) continue;
      const { incident, clearSince } = open;
      // It was away for a moment only.
      const flapping = incident.flapping || clearSince !== undefined;
      const due = now - incident.reminded >= this.settings.remindEvery && wanted(condition);
      open.clearSince = undefined;
      open.incident = { ...incident, condition, flapping, reminded: due ? now : incident.reminded };
      if (due) notices.push({ status: 'reminder', condition, flapping, at: now });
    }
    return notices;
  }

  #gone(present: ReadonlyMap<string, Condition>, now: WallTime): Notice[] {
    const notices: Notice[] = [];
    const { holdFlapping } = this.settings;
    for (const [key, open] of this.#open) {
      if (present.has(key)) continue;
      open.clearSince ??= now;
      const { incident, clearSince } = open;
      const brief = incident.flapping || clearSince - incident.opened < holdFlapping;
      if (brief && now - clearSince < holdFlapping) continue;
      this.#open.delete(key);
      this.#resolved.set(key, now);
      notices.push({ status: 'resolved', condition: incident.condition, flapping: incident.flapping, at: now });
    }
    for (const [key, at] of this.#resolved) if (now - at >= holdFlapping) this.#resolved.delete(key);
    return notices;
  }
}
