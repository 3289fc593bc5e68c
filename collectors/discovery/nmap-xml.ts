/** The only file that knows `saxes`: reads nmap's XML as it comes, holding no more than what it says of ports. */
import { isIP } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { SaxesParser } from 'saxes';

export interface OpenPort {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  /** nmap's name for what usually listens there. Absent where it knows none. */
  readonly service?: string;
}

export interface NmapHost {
  readonly address: string;
  readonly ports: readonly OpenPort[];
}

/** The hosts of a whole run, or why it cannot be used. */
export type NmapRun =
  | { readonly ok: true; readonly hosts: readonly NmapHost[] }
  | { readonly ok: false; readonly why: string };

/** A slice of 256 hosts with all ports that are asked for takes a tenth of this. */
const MOST_OCTETS = 8_388_608;
const DEEPEST = 16;
const MOST_HOSTS = 4_096;
const MOST_PORTS = 256;

export class NmapReader {
  readonly #decoder = new StringDecoder('utf8');
  readonly #parser = new SaxesParser();
  readonly #hosts: NmapHost[] = [];
  #host: { address?: string; ports: OpenPort[] } | undefined;
  #port: { protocol: string; port: number; open: boolean; service?: string } | undefined;
  #octets = 0;
  #depth = 0;
  #finished = false;
  #fault: string | undefined;

  constructor() {
    this.#parser.on('error', (error) => this.#refuse(`its XML is damaged: ${error.message.slice(0, 200)}`));
    this.#parser.on('doctype', (text) => {
      // nmap writes none with declarations; an entity that means ten others is the only reason for one.
      if (/[[<]/.test(text)) this.#refuse('its XML declares entities');
    });
    this.#parser.on('opentag', ({ name, attributes }) => {
      this.#depth += 1;
      if (this.#depth > DEEPEST) this.#refuse('its XML is nested too deeply');
      else this.#open(name, attributes);
    });
    this.#parser.on('closetag', ({ name }) => {
      this.#depth -= 1;
      this.#close(name);
    });
  }

  /** False once nothing more is wanted: what follows cannot make the run usable. */
  write(chunk: Buffer): boolean {
    this.#octets += chunk.length;
    if (this.#octets > MOST_OCTETS) this.#refuse('it printed more than a scan can have found');
    if (this.#fault !== undefined) return false;
    this.#parser.write(this.#decoder.write(chunk));
    return this.#fault === undefined;
  }

  /** Only a run that says of itself that it came to a good end is used. */
  result(): NmapRun {
    if (this.#fault === undefined && !this.#finished) this.#refuse('it ended before its scan was done');
    return this.#fault === undefined ? { ok: true, hosts: this.#hosts } : { ok: false, why: this.#fault };
  }

  #refuse(why: string): void {
    this.#fault ??= why;
  }

  #open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (this.#fault !== undefined) return;
    const attribute = (key: string) => (Object.hasOwn(attributes, key) ? (attributes[key] ?? '') : '');
    switch (name) {
      case 'host':
        this.#host = { ports: [] };
        break;
      case 'address':
        if (this.#host && isIP(attribute('addr')) !== 0) this.#host.address = attribute('addr');
        break;
      case 'port':
        this.#port = { protocol: attribute('protocol'), port: Number(attribute('portid')), open: false };
        break;
      case 'state':
        if (this.#port) this.#port.open = attribute('state') === 'open';
        break;
      case 'service':
        if (this.#port && /^[\w.+/-]{1,40}$/.test(attribute('name'))) this.#port.service = attribute('name');
        break;
      case 'finished':
        this.#finished = attribute('exit') === 'success';
        break;
      default:
        break;
    }
  }

  #close(name: string): void {
    if (name === 'port' && this.#port) {
      const { protocol, port, open, service } = this.#port;
      if (open && (protocol === 'tcp' || protocol === 'udp') && port >= 1 && port <= 65_535)
        if (this.#host && this.#host.ports.length < MOST_PORTS)
          this.#host.ports.push({ protocol, port, ...(service === undefined ? {} : { service }) });
      this.#port = undefined;
    } else if (name === 'host' && this.#host) {
      const { address, ports } = this.#host;
      if (address !== undefined && this.#hosts.length < MOST_HOSTS) this.#hosts.push({ address, ports });
      this.#host = undefined;
    }
  }
}
