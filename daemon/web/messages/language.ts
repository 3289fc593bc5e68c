import { de } from './de.ts';
import { en, type Messages } from './en.ts';

/** Every language of the page, one file each. */
const LANGUAGES: Readonly<Record<string, Messages>> = { en, de };

export function messagesOf(language: string): Messages {
  return LANGUAGES[language] ?? en;
}
