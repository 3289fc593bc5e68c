import { expect, test } from 'vitest';
import type { Observation } from '#collectors/contract.ts';
import { Fanout } from '#daemon/fanout.ts';
import type { Logger } from '#daemon/log.ts';
import type { Sink } from '#daemon/sinks/sink.ts';

const OBSERVATION: Observation = {
  device: 'a',
  collector: 'snmp',
  question: 'metrics',
  at: 0 as Observation['at'],
  took: 0 as Observation['took'],
  evidence: { kind: 'answered' },
  groups: [],
  problems: [],
  requests: 1,
  timeouts: 0,
};

class ListSink implements Sink {
  readonly name: string;
  readonly accepted: Observation[] = [];
  readonly forgotten: string[] = [];
  readonly #fails: boolean;

  constructor(name: string, fails = false) {
    this.name = name;
    this.#fails = fails;
  }

  accept(observation: Observation): void {
    if (this.#fails) throw new Error('full');
    this.accepted.push(observation);
  }

  forget(device: string): void {
    this.forgotten.push(device);
  }

  async flush(): Promise<void> {
    if (this.#fails) throw new Error('cannot');
  }

  async close(): Promise<void> {}
}

function listeningLog(): Logger & { readonly errors: string[] } {
  const errors: string[] = [];
  return { errors, error: (sentence) => void errors.push(sentence), warn: () => {}, info: () => {}, debug: () => {} };
}

test('a sink that throws costs the others nothing, and is told of', async () => {
  const log = listeningLog();
  const broken = new ListSink('broken', true);
  const good = new ListSink('good');
  const fanout = new Fanout([broken, good], log);

  fanout.publish(OBSERVATION);
  await fanout.flush(AbortSignal.timeout(1000));

  expect(good.accepted).toEqual([OBSERVATION]);
  expect(log.errors).toEqual(['a sink could not take an observation', 'a sink could not be flushed']);
});

test('a device that is watched no longer is forgotten by every sink', () => {
  const sinks = [new ListSink('a'), new ListSink('b')];
  new Fanout(sinks, listeningLog()).forget('fw-1');

  expect(sinks.map(({ forgotten }) => forgotten)).toEqual([['fw-1'], ['fw-1']]);
});
