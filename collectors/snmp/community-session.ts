import type { Target } from '#collectors/contract.ts';
import type { Credential } from '#config/schema.ts';
import { type PduView, writeCommunityFrame, writePdu } from './ber.ts';
import { agentAt } from './errors.ts';
import { type Request, type RequestContext, requestPdu, type Session, type SessionOptions, waits } from './session.ts';
import { BerWriter } from './tlv.ts';
import type { Incoming, Verdict } from './transport.ts';

const writer = new BerWriter();
const encoder = new TextEncoder();

/** SNMPv1 and SNMPv2c: the community is all there is to security. */
export class CommunitySession implements Session {
  readonly version: '1' | '2c';
  readonly agent: string;
  readonly #target: Pick<Target, 'address' | 'snmpPort'>;
  readonly #community: Uint8Array;
  readonly #options: SessionOptions;
  readonly #waits: readonly number[];

  constructor(
    target: Pick<Target, 'address' | 'snmpPort'>,
    credential: Extract<Credential, { version: '1' | '2c' }>,
    options: SessionOptions,
  ) {
    this.version = credential.version;
    this.agent = agentAt(target.address, target.snmpPort);
    this.#target = target;
    this.#community = encoder.encode(credential.community.reveal());
    this.#options = options;
    this.#waits = waits(options.patience);
  }

  request(request: Request, { signal, cost, tries }: RequestContext): Promise<PduView> {
    return this.#options.transport.ask({
      version: this.version,
      address: this.#target.address,
      port: this.#target.snmpPort,
      message: (id) => this.#message(request, id),
      judge: (incoming) => this.#judge(incoming),
      waits: tries === undefined ? this.#waits : this.#waits.slice(0, tries),
      signal,
      cost,
    });
  }

  #message(request: Request, id: number): Uint8Array {
    writer.reset();
    const mark = writer.mark;
    writePdu(writer, requestPdu(request, id));
    writeCommunityFrame(writer, this.version === '1' ? 0 : 1, this.#community, mark);
    return writer.take();
  }

  #judge(incoming: Incoming): Verdict<PduView> {
    if (incoming.version === 3) return { drop: 'wrong_version' };
    if (Buffer.compare(incoming.community, this.#community) !== 0) return { drop: 'wrong_community' };
    if (incoming.pdu.type !== 'response') return { drop: 'malformed' };
    return { accept: incoming.pdu };
  }
}
