/** A web server over an invented site: devices, readings and states as one wants them, the rest as in the daemon. */
import type { DeviceClass, Reading, WallTime } from '#collectors/contract.ts';
import { configOf } from '#config/load.ts';
import type { State } from '#daemon/availability/verdict.ts';
import { systemClock } from '#daemon/clock.ts';
import type { Rung } from '#daemon/diagnosis/ladder.ts';
import { SelfMetrics } from '#daemon/exposition/self.ts';
import { PrometheusSink } from '#daemon/sinks/prometheus.ts';
import { type AuditTrail, memoryAudit } from '#daemon/web/access/audit.ts';
import type { NewWindow, PageSources } from '#daemon/web/page-sources.ts';
import type { WebParts } from '#daemon/web/route.ts';
import { startWeb, type WebOptions, type WebServer } from '#daemon/web/server.ts';
import type { DeviceView, SiteView } from '#daemon/web/site-view.ts';
import { type RecordedLine, recordingLogger } from './recording-logger.ts';

export interface TestDevice {
  readonly view: DeviceView;
  readonly readings: readonly Reading[];
}

export interface TestSite extends WebServer {
  readonly lines: readonly RecordedLine[];
  readonly audit: AuditTrail;
  readonly windows: readonly NewWindow[];
  /** Windows that were ended: key, who, why. */
  readonly ended: readonly (readonly [string, string, string])[];
}

export interface SiteOptions {
  readonly devices?: readonly TestDevice[];
  /** The `http` part of a config, beside `listen`. */
  readonly http?: Record<string, unknown>;
  readonly sources?: PageSources;
  readonly parts?: Partial<WebParts>;
  readonly view?: Partial<SiteView>;
  readonly tls?: WebOptions['tls'];
}

const DAY = 86_400_000;

/** Whoever starts it closes it. */
export async function openSite({
  devices = [],
  http = {},
  sources = {},
  parts = {},
  view = {},
  tls,
}: SiteOptions = {}): Promise<TestSite> {
  const config = configOf({ site: { id: 'yard', client: 'Yard & Sons', timezone: 'Europe/Berlin' }, http }, '.').config;
  const log = recordingLogger();
  const audit = memoryAudit();
  const windows: NewWindow[] = [];
  const ended: [string, string, string][] = [];
  const byName = new Map(devices.map((device) => [device.view.name, device]));
  const server = await startWeb({
    listen: '127.0.0.1:0',
    ...(tls ? { tls } : {}),
    parts: {
      view: {
        site: config.site,
        version: '1.2.3',
        startedAt: (Date.now() - DAY) as WallTime,
        demo: false,
        devices: () => devices.map((device) => device.view),
        device: (name) => byName.get(name)?.view,
        readings: (name) => byName.get(name)?.readings ?? [],
        notReady: () => [],
        reload: async () => [],
        ...view,
      },
      clock: systemClock,
      self: new SelfMetrics('1.2.3', () => []),
      devices: new PrometheusSink(),
      log,
      audit,
      http: () => config.http,
      sources: {
        timelines: async ({ from, to }) =>
          new Map(
            devices.map(({ view: { name, state, since } }) => [
              name,
              [
                { from, to: since, state: 'up' as const, cause: 'answered' },
                { from: since, to, state, cause: 'silent three rounds' },
              ],
            ]),
          ),
        windows: () =>
          windows.map((window, index) => ({
            ...window,
            key: `entered-${index}`,
            entered: true,
            author: window.by,
            name: window.reason,
          })),
        enterWindow: async (window) => `entered-${windows.push(window) - 1}`,
        endWindow: async (...end) => void ended.push(end),
        ...sources,
      },
      diagnose: async function* (): AsyncGenerator<Rung> {
        yield { name: 'link', outcome: 'good', message: 'this appliance is connected' };
        yield { name: 'echo', outcome: 'bad', message: 'no answer', hint: 'look at the cable' };
      },
      ...parts,
    },
  });
  return { ...server, lines: log.lines, audit, windows, ended };
}

export function testDevice(
  name: string,
  state: State = 'up',
  more: Partial<DeviceView> = {},
  readings: readonly Reading[] = [],
): TestDevice {
  return {
    view: {
      name,
      address: '192.0.2.10',
      class: 'server' as DeviceClass,
      identity: {
        class: 'server',
        profile: 'net-snmp-linux',
        vendor: 'Acme',
        model: 'Box 9',
        serial: 'A1',
        version: '7',
      },
      state,
      since: (Date.now() - 3_600_000) as WallTime,
      problems: [],
      ...more,
    },
    readings,
  };
}
