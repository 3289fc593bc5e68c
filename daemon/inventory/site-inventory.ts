/**
 * The inventory of the running daemon: the book, its place on disk, and what people and rules decide about it. Changes
 * are in force at once; a disk that does not take them is reported, and they are written with the next ones.
 */
import type { Clock, Observation } from '#collectors/contract.ts';
import type { NeighbourTables } from '#collectors/discovery/neighbours.ts';
import type { Sighting } from '#collectors/discovery/scan.ts';
import type { Config } from '#config/schema.ts';
import type { Logger } from '../log.ts';
import type { Database } from '../store/store.ts';
import { adoptedDevices } from './adopted.ts';
import { decide, deviceName, evidenceLacking, ruleFor } from './adoption.ts';
import { Book, type BookChanges, type ScanContext } from './book.ts';
import { type KeptEvent, readHistory, readLatest, readRecords, readTurns, writeChanges } from './ledger.ts';
import { lineage } from './lineage.ts';
import { parentGuesses } from './parents.ts';
import type { AdoptedSettings, DeviceRecord, InventoryEvent } from './record.ts';
import { rangeAt, rangeNames } from './scope.ts';
import type { WatchedDevice } from './watched.ts';

export interface SiteInventoryOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Asked for at each use: a fault of the disk brings another handle. */
  readonly database: () => Database;
  readonly config: () => Config;
  /** Called when the devices that are to be watched have changed. */
  readonly onDevices: () => void;
}

/** What a person settles when adopting. */
export interface AdoptRequest extends AdoptedSettings {
  readonly name?: string;
  /** Name or id of the device that it is: that one goes on here. */
  readonly device?: string;
}

/** How long a device is missed before it counts as gone, in scans of its range. */
const GONE_AFTER_SCANS = 2;

export class SiteInventory {
  readonly #options: SiteInventoryOptions;
  readonly #book: Book;
  /** By record: what it told of its neighbours, as long as the daemon runs. */
  readonly #tables = new Map<string, NeighbourTables>();
  #unsaved = { records: new Set<string>(), events: [] as InventoryEvent[] };
  #saving: Promise<void> = Promise.resolve();

  private constructor(options: SiteInventoryOptions, records: readonly DeviceRecord[]) {
    this.#options = options;
    this.#book = new Book(records);
  }

  /** @throws StoreError when the ledger cannot be read */
  static async open(options: SiteInventoryOptions): Promise<SiteInventory> {
    return new SiteInventory(options, await readRecords(options.database()));
  }

  records(): readonly DeviceRecord[] {
    return this.#book.all();
  }

  /** By its id, or by the name under which it is watched. */
  get(id: string): DeviceRecord | undefined {
    return this.#book.get(id) ?? this.#book.named(id);
  }

  at(address: string): DeviceRecord | undefined {
    return this.#book.at(address);
  }

  /** Devices to be watched beside those of the config. */
  adopted(): WatchedDevice[] {
    return adoptedDevices(this.#book.all(), this.#options.config());
  }

  /** The contract that an adopted device was put under, if one was named. */
  contractOf(name: string): string | undefined {
    return this.#book.named(name)?.settings.contract;
  }

  /** What waits for a decision, and what is ignored. A stray sight of an ignored device is not asked about again. */
  discoveries(): readonly DeviceRecord[] {
    return this.#book
      .all()
      .filter(({ state }) => state === 'candidate' || state === 'ignored')
      .filter((record) => record.state === 'ignored' || !this.#isIgnoredElsewhere(record));
  }

  /** Takes the config as it is now: its devices are known by their names. */
  configure(): void {
    const devices = this.#options
      .config()
      .devices.map(({ name, address, port }) => ({ name: name ?? address, address, port }));
    this.#took(this.#book.configure(devices, this.#options.clock.wallNow()));
  }

  /** Takes what a slice of a scan has seen, and adopts what is to be adopted without asking. */
  ingest(sightings: readonly Sighting[], scanned: ScanContext['scanned'], gateway?: string): void {
    const now = this.#options.clock.wallNow();
    const rangeOf = rangeNames(this.#options.config());
    const changes = this.#book.ingest(sightings, { now, rangeOf, scanned });
    for (const [id, seen] of changes.seen)
      for (const { neighbours } of seen) if (neighbours) this.#tables.set(id, neighbours);
    this.#took(changes);
    this.#guessParents(gateway);
    const adopted = changes.records.filter((record) => this.#adoptByItself(record)).length;
    const moved = changes.events.some(({ kind }) => kind === 'moved' || kind === 're-addressed' || kind === 'replaced');
    if (adopted > 0 || moved || changes.events.some(({ kind }) => kind === 'credential-changed'))
      this.#options.onDevices();
  }

  /** Marks what has been missing for two scans of this range. */
  scanned(range: string, every: number): void {
    const now = this.#options.clock.wallNow();
    this.#took(this.#book.miss((record) => record.range === range, GONE_AFTER_SCANS * every, now));
  }

  /** What polls learn of watched devices. */
  accept({ device, collector, identity, at }: Observation, address: string | undefined): void {
    if (collector !== 'snmp' || !identity || address === undefined) return;
    const changes = this.#book.learn(device, address, identity, at);
    this.#took(changes);
    if (changes.events.some(({ kind }) => kind === 'replaced')) this.#options.onDevices();
  }

  /** @throws SitewardError where there is no such discovery, or the name is taken */
  async adopt(id: string, { name, device, ...settings }: AdoptRequest, by: string): Promise<DeviceRecord> {
    const now = this.#options.clock.wallNow();
    if (device !== undefined) this.#took(this.#book.join(id, device, now, by));
    else this.#took(this.#book.adopt(id, name ?? this.proposedName(id), settings, now, by));
    this.#options.onDevices();
    await this.saved();
    const record = this.#book.get(id);
    return (record?.into === undefined ? record : this.#book.get(record.into)) ?? unreachable();
  }

  /** @throws SitewardError where there is no such discovery */
  async ignore(id: string, by: string): Promise<DeviceRecord> {
    this.#took(this.#book.ignore(id, this.#options.clock.wallNow(), by));
    await this.saved();
    return this.#book.get(id) ?? unreachable();
  }

  /** @throws SitewardError where no such device is known at the address */
  async split(id: string, address: string, by: string): Promise<DeviceRecord> {
    this.#took(this.#book.split(this.get(id)?.id ?? id, address, this.#options.clock.wallNow(), by));
    this.#options.onDevices();
    await this.saved();
    return this.#book.at(address) ?? unreachable();
  }

  /** The name that adoption would give it. */
  proposedName(id: string): string {
    const record = this.#book.get(id);
    if (!record) return '';
    const { rules } = this.#options.config().discovery;
    return deviceName(adoptable(record), this.#taken(), ruleFor(adoptable(record), rules)?.as);
  }

  /** What happened before a place in the ledger, newest first; to one device, or to all. */
  async latest(before: number, limit: number, device?: string): Promise<readonly KeptEvent[]> {
    const of = device === undefined ? undefined : await this.#lineage(device);
    return await readLatest(this.#options.database(), before, limit, of);
  }

  /** Everything that happened to a device, also before it was known to be this one. */
  async history(id: string): Promise<readonly KeptEvent[]> {
    return await readHistory(this.#options.database(), await this.#lineage(id));
  }

  async #lineage(id: string): Promise<readonly string[]> {
    return [...lineage(this.get(id)?.id ?? id, await readTurns(this.#options.database()))];
  }

  /** Resolves when everything that was taken so far is on disk, or was refused by it. */
  async saved(): Promise<void> {
    await this.#saving;
  }

  #took({ records, events }: Omit<BookChanges, 'seen'>): void {
    if (records.length === 0 && events.length === 0) return;
    for (const { id } of records) this.#unsaved.records.add(id);
    this.#unsaved.events.push(...events);
    for (const { device, kind, detail } of events)
      this.#options.log.info('a device of the inventory changed', {
        device: this.#book.get(device)?.name ?? device,
        kind,
        ...detail,
      });
    this.#saving = this.#saving.then(() => this.#save());
  }

  async #save(): Promise<void> {
    const { records, events } = this.#unsaved;
    if (records.size === 0 && events.length === 0) return;
    this.#unsaved = { records: new Set(), events: [] };
    const changed = [...records].flatMap((id) => this.#book.get(id) ?? []);
    try {
      await writeChanges(this.#options.database(), { records: changed, events }, this.#options.clock.wallNow());
    } catch (error) {
      this.#options.log.error('the inventory could not be written, it is tried again with the next change', { error });
      for (const id of records) this.#unsaved.records.add(id);
      this.#unsaved.events.unshift(...events);
    }
  }

  #adoptByItself(record: DeviceRecord): boolean {
    if (record.state !== 'candidate' || record.doubts.length > 0) return false;
    const config = this.#options.config();
    const mode = rangeAt(config, record.addresses[0] ?? '')?.settings.adopt ?? 'ask';
    const decision = decide(adoptable(record), { mode, rules: config.discovery.rules, taken: this.#taken() });
    if (!decision.adopt) return false;
    const now = this.#options.clock.wallNow();
    this.#took(this.#book.adopt(record.id, decision.name, decision.settings, now, decision.reason));
    return true;
  }

  #taken(): ReadonlySet<string> {
    return new Set([
      ...this.#book.names(),
      ...this.#options.config().devices.map(({ name, address }) => name ?? address),
    ]);
  }

  #guessParents(gateway: string | undefined): void {
    const records = this.#book.all();
    const guesses = parentGuesses({ records, tables: this.#tables, gateway });
    const changed = records.flatMap((record): DeviceRecord[] => {
      const guess = guesses.get(record.id);
      // What no table says any more may be so all the same: only a better guess replaces one.
      if (!guess || JSON.stringify(guess) === JSON.stringify(record.parent)) return [];
      return [{ ...record, parent: guess }];
    });
    this.#took(this.#book.update(changed));
  }

  #isIgnoredElsewhere({ doubts, evidence }: DeviceRecord): boolean {
    return (
      evidenceLacking(evidence) !== undefined &&
      doubts.some(({ device, against }) => against.length === 0 && this.#book.get(device)?.state === 'ignored')
    );
  }
}

function adoptable({ identity, evidence, addresses }: DeviceRecord) {
  return { class: identity?.class, evidence, address: addresses[0] ?? '' };
}

function unreachable(): never {
  throw new Error('a record that was just written is not there');
}
