import type { h, VNode } from 'preact';

declare const htm: {
  /** A template tag whose templates become what `h` makes. */
  bind(create: typeof h): (strings: TemplateStringsArray, ...values: readonly unknown[]) => VNode;
};
export default htm;
