import { inspect } from 'node:util';

/** Where the config says a secret is: in the text itself, in an environment variable, or in a file. */
export type SecretSource = string | { readonly env: string } | { readonly file: string };

/** What is shown of a secret, and said of the source of one that stands in the config itself. */
const PLAIN = '<secret>';

/**
 * A password, key or community. Every way of printing it gives `<secret>`; only `reveal()` gives the text. The schema
 * makes it from its source, the loader resolves it, so that a missing variable or file is an error with its place.
 */
export class Secret {
  readonly source: SecretSource;
  #text: string | undefined;

  constructor(source: SecretSource) {
    this.source = typeof source === 'string' ? PLAIN : source;
    this.#text = typeof source === 'string' ? source : undefined;
  }

  /** One whose text is known, wherever it came from. */
  static resolved(source: SecretSource, text: string): Secret {
    const secret = new Secret(source === PLAIN ? text : source);
    secret.resolve(() => text);
    return secret;
  }

  /** Gives the secret its text. `read` is only called for a variable or a file. */
  resolve(read: (source: { readonly env: string } | { readonly file: string }) => string): void {
    if (typeof this.source !== 'string') this.#text = read(this.source);
  }

  /** The clear text. Call it where the protocol needs it and nowhere else. */
  reveal(): string {
    if (this.#text === undefined) throw new Error('secret used before the config was loaded');
    return this.#text;
  }

  toString(): string {
    return PLAIN;
  }

  toJSON(): string {
    return PLAIN;
  }

  [inspect.custom](): string {
    return PLAIN;
  }
}
