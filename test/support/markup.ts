/** Texts that would like to be more than text, and what a page makes of them. */
import { hostileText, seededRandom } from './random.ts';

export const MARKUP: readonly string[] = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</script><script>alert(1)</script>',
  '<svg/onload=alert(1)>',
  'javascript:alert(1)',
  '{{constructor.constructor("alert(1)")()}}',
  '<!--',
  ']]>',
  '\u202Egnp.exe',
  'a\0b\r\nc\u001b[31m',
  '\uD800 lone',
  '&lt;b&gt;',
  'x'.repeat(65_536),
];

/** The fixed ones, then random ones. */
export function hostileTexts(count: number, seed: number): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => MARKUP[index] ?? hostileText(random));
}

/** A text as a page shows it: as it was sent, but for marks that would turn the page round or that nothing can print. */
export function shownAs(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, (mark) =>
      mark === '\n' || mark === '\t' ? mark : '\uFFFD',
    );
}
