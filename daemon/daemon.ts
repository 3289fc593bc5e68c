import type { Clock, Observation, Reading, WallTime } from '#collectors/contract.ts';
import { createCollectors } from '#collectors/registry.ts';
import { ConfigError, SitewardError } from '#config/errors.ts';
import { describeFault } from '#config/faults.ts';
import type { LoadedConfig } from '#config/load.ts';
import { Availability } from './availability/availability.ts';
import { BatteryMemory } from './availability/battery.ts';
import { SlaKeeper } from './availability/sla-keeper.ts';
import type { AvailabilityTracker, Transition } from './availability/tracker.ts';
import { climb } from './diagnosis/ladder.ts';
import { SelfMetrics } from './exposition/self.ts';
import { Fanout } from './fanout.ts';
import { openHistory } from './history/history.ts';
import { Scanner } from './inventory/scanner.ts';
import { SiteInventory } from './inventory/site-inventory.ts';
import { triesPath } from './inventory/tries-file.ts';
import { watchedDevices } from './inventory/watched.ts';
import type { LevelLogger, Logger } from './log.ts';
import { MeterService } from './meters/service.ts';
import { Standstill } from './notices/standstill.ts';
import { openNotices } from './notices/wiring.ts';
import { Outputs } from './outputs.ts';
import { profileLibrary } from './profile-library.ts';
import { ReportSchedule } from './reports/schedule.ts';
import { HistorySink } from './sinks/history.ts';
import { PrometheusSink } from './sinks/prometheus.ts';
import { givingMemoryBack } from './spare-memory.ts';
import { openStorage } from './storage.ts';
import { Turns } from './turns.ts';
import { VERSION } from './version.ts';
import { Watch } from './watch.ts';
import { ledgerAudit } from './web/access/audit.ts';
import { tlsFiles } from './web/access/tls.ts';
import { startWeb } from './web/server.ts';
import type { DeviceView, SiteView } from './web/site-view.ts';
import { pageSources } from './web/sources.ts';

export interface DaemonOptions {
  readonly loaded: LoadedConfig;
  /** Reads the config again for a reload. Absent: there is none to read. */
  readonly reread?: () => Promise<LoadedConfig>;
  readonly clock: Clock;
  readonly log: LevelLogger;
  readonly demo: boolean;
}

export interface Daemon {
  /** Where the page is. */
  readonly url: string;
  /** Takes the config as it is now, or keeps the old one and says why not. */
  reload(): Promise<readonly string[]>;
  /** Stops polling, flushes, closes. Takes at most about eight seconds. */
  stop(): Promise<void>;
}

const GRACE_POLLS = 4_000;
const GRACE_FLUSH = 3_000;
/** Polls under way at once: enough that 3,000 dead devices of 10,000 delay nobody, few enough for one socket's buffer. */
const MOST_POLLS = 400;

/**
 * Builds everything and starts it.
 * @throws SitewardError when a part that nothing can work without cannot be had: profiles, store, the address to listen on.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  // What was opened is closed in reverse, on stopping as on a start that fails halfway.
  const opened = new AsyncDisposableStack();
  try {
    return await compose(options, opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

async function compose(options: DaemonOptions, opened: AsyncDisposableStack): Promise<Daemon> {
  const { clock, log } = options;
  let { loaded } = options;
  const startedAt = clock.wallNow();
  const profiles = await profileLibrary(loaded);
  for (const fault of profiles.faults) log.error('a device profile cannot be used', { place: describeFault(fault) });
  const collectors = createCollectors({
    clock,
    profiles: profiles.library,
    maxPacketsPerSecond: loaded.config.polling.max_packets_per_second,
  });

  opened.defer(async () => void (await Promise.all(Object.values(collectors).map((collector) => collector.close()))));

  const storage = await openStorage(loaded, clock, log);
  opened.defer(() => storage.close());
  const outputs = new Outputs({ store: storage.store, directory: storage.directory, clock, log });
  await outputs.apply(loaded);
  const prometheus = new PrometheusSink();
  const history = await openHistory({ store: storage.store, clock, log, ...historyLimits(loaded) });
  const meters = await MeterService.open({
    file: storage.ledger,
    clock,
    log,
    publish: (observation) => fanout.publish(observation),
    askAgain: (device) => watch.hurry(device),
    profile: (name) => profiles.library.content(name),
  });
  const sinks = [prometheus, outputs, meters.sink, ...(history ? [new HistorySink(history)] : [])];
  const fanout: Fanout = new Fanout(sinks, log);
  opened.defer(() => fanout.close());
  const publish = (observation: Observation) => fanout.publish(observation);
  const self = new SelfMetrics(VERSION, () => outputs.shown());
  const battery = new BatteryMemory(clock);
  const standstill = new Standstill(clock);
  const availability = await Availability.open({
    ...storage,
    clock,
    log,
    version: VERSION,
    publish,
    onTransition: (transition) => logTransition(log, transition),
    onInterrupted: (...interruption) => standstill.interrupted(...interruption),
    onBattery: () => battery.onBattery(),
  });
  const { tracker } = availability;
  const database = () => storage.ledger.database;
  const config = () => loaded.config;
  const inventory = await SiteInventory.open({ clock, log, database, config, onDevices: () => apply() });
  opened.defer(() => inventory.saved());
  const scanner = new Scanner({
    clock,
    log,
    database,
    config,
    inventory,
    profiles: profiles.library,
    triesPath: triesPath(loaded, process.env),
  });
  const watch = new Watch({
    clock,
    log,
    collectors,
    tracker,
    publish: (observation) => {
      publish(observation);
      battery.accept(observation);
      inventory.accept(observation, watch.device(observation.device)?.host);
    },
    forget: (device) => fanout.forget(device),
    meter: self,
    maxInFlight: MOST_POLLS,
  });

  const slaKeeper = new SlaKeeper({ clock, log, database, config, publish });
  opened.defer(() => slaKeeper.stop());
  const reports = new ReportSchedule({ clock, log, database, loaded: () => loaded });
  opened.defer(() => reports.stop());
  const notices = await openNotices({
    loaded,
    clock,
    log,
    database,
    config,
    watch,
    tracker,
    prometheus,
    ledger: availability.ledger,
    outputs: () => outputs.shown(),
    moreConditions: () => [...slaKeeper.conditions(), ...standstill.conditions()],
  });
  opened.defer(() => notices.stop());

  const apply = () => {
    inventory.configure();
    const devices = [...watchedDevices(loaded.config), ...inventory.adopted()];
    self.watching(devices.length);
    publish(siteInfo(loaded, clock.wallNow()));
    availability.apply(loaded.config, devices);
    meters.apply(loaded.config, inventory.records());
    watch.apply(devices);
  };
  /** Reading takes a while: of two reloads the later one is to be in force, and none once the daemon stops. */
  const reloads = new Turns();
  let stopping = false;
  const reloadInTurn = async (): Promise<readonly string[]> => {
    try {
      if (!options.reread) return ['there is no config file to read again'];
      const read = await options.reread();
      if (stopping) return ['siteward is stopping'];
      loaded = read;
    } catch (error) {
      if (!(error instanceof SitewardError)) throw error;
      self.reloaded(false);
      const faults = error instanceof ConfigError ? error.faults.map(describeFault) : [error.message];
      log.error('the config could not be read again, the old one stays in force', { faults });
      return faults;
    }
    self.reloaded(true);
    log.level = loaded.config.log.level;
    await outputs.apply(loaded);
    notices.configure(loaded);
    apply();
    log.info('the config was read again', { devices: watch.devices().length });
    return [];
  };

  const reload = () => reloads.take(reloadInTurn);

  const view: SiteView = {
    get site() {
      return loaded.config.site;
    },
    version: VERSION,
    startedAt,
    demo: options.demo,
    devices: () => watch.devices().flatMap(({ name }) => deviceView(name, watch, tracker) ?? []),
    device: (name) => deviceView(name, watch, tracker),
    readings: (device): Reading[] => prometheus.readings(device),
    notReady: () => (watch.firstCycleDone ? [] : ['the first cycle is not done']),
    reload,
  };
  const web = await startWeb({
    listen: loaded.config.http.listen,
    ...(loaded.config.http.tls ? { tls: () => tlsFiles(loaded) } : {}),
    parts: {
      view,
      clock,
      self,
      devices: prometheus,
      log,
      audit: ledgerAudit(storage.ledger),
      ...(history ? { history } : {}),
      sources: pageSources({
        database,
        config,
        clock,
        outputs: () => outputs.shown(),
        maintenance: () => availability.ledger.maintenance,
        enterMaintenance: (window) => availability.enterMaintenance(window),
        endMaintenance: (key, author, reason) => availability.endMaintenance(key, author, reason),
      }),
      http: () => loaded.config.http,
      inventory,
      scanner,
      meters,
      availability: {
        database,
        config,
        knows: (device) => watch.device(device) !== undefined,
        correct: (device, from, correction) => availability.ledger.correct(device, from, correction),
        notices: (limit) => notices.log(limit),
      },
      watched: (name) => watch.device(name),
      diagnose: async function* (name, signal) {
        const device = watch.device(name);
        if (device) yield* climb(device, { clock, collectors, signal });
      },
    },
  });
  opened.defer(() => web.close());
  self.reloaded(true);
  apply();
  const spareMemory = givingMemoryBack();
  opened.defer(() => spareMemory.stop());
  await scanner.start();
  slaKeeper.start();
  reports.start();
  notices.start();
  log.info('siteward watches', { site: loaded.config.site.id, devices: watch.devices().length, url: web.url });

  return {
    url: web.url,
    reload,
    stop: async () => {
      stopping = true;
      await scanner.stop();
      await Promise.all([slaKeeper.stop(), reports.stop(), notices.stop()]);
      await watch.stop(AbortSignal.timeout(GRACE_POLLS));
      await availability.close(AbortSignal.timeout(GRACE_FLUSH));
      await fanout.flush(AbortSignal.timeout(GRACE_FLUSH));
      await opened.disposeAsync();
      log.info('siteward has stopped');
    },
  };
}

function deviceView(name: string, watch: Watch, tracker: AvailabilityTracker): DeviceView | undefined {
  const device = watch.device(name);
  const standing = tracker.standing(name);
  const facts = watch.facts(name);
  if (!device || !standing) return undefined;
  return {
    name,
    address: device.host,
    class: device.target.class ?? facts?.identity?.class ?? 'other',
    ...(facts?.identity ? { identity: facts.identity } : {}),
    state: tracker.live(name) ?? standing.state,
    since: standing.since,
    problems: facts?.problems ?? [],
  };
}

function historyLimits({ config: { storage } }: LoadedConfig) {
  return { days: storage.history_days, maxBytes: storage.history_bytes };
}

function logTransition(log: Logger, { device, from, to }: Transition): void {
  log.info('a device changed state', {
    device,
    from,
    to: to.state,
    since: new Date(to.since).toISOString(),
    rule: to.rule,
  });
}

/** The site itself as an observation, under a name that no device can have. */
function siteInfo({ config: { site } }: LoadedConfig, at: WallTime): Observation {
  return {
    device: '',
    collector: 'site',
    question: 'inventory',
    at,
    took: 0 as Observation['took'],
    evidence: { kind: 'answered' },
    groups: [
      {
        name: 'info',
        readings: [
          {
            metric: 'siteward_site_info',
            labels: { site: site.id, client: site.client, timezone: site.timezone },
            value: 1,
          },
        ],
      },
    ],
    problems: [],
    requests: 0,
    timeouts: 0,
  };
}
