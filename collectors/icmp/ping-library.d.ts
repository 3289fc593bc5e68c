/** The two parts of the `ping` package that `ping.ts` uses; its own types cover only its entry point. */
declare module 'ping/lib/builder/factory.js' {
  export interface PingArguments {
    numeric: boolean;
    timeout: number;
    deadline: number | false;
    min_reply: number;
    v6: boolean;
    extra: string[];
  }
  const builders: {
    createBuilder(platform: string): {
      /** Fills in defaults in `config`: pass a fresh object each time. */
      getCommandArguments(target: string, config: PingArguments): string[];
    };
  };
  export default builders;
}

declare module 'ping/lib/parser/factory.js' {
  const parsers: {
    createParser(
      address: string,
      platform: string,
      config: object,
    ): {
      /** Throws on a first line of fewer than three words. */
      eat(line: string): void;
      /** `times` in milliseconds, in order; `packetLoss` is `unknown` where the summary line is missing. */
      getResult(): { readonly times: readonly unknown[]; readonly packetLoss: unknown; readonly output: string };
    };
  };
  export default parsers;
}
