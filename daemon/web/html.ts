/** HTML that is safe by default: whatever is put into a template is text, unless it came from a template itself. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

type Part = string | number | bigint | Html | undefined | false | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Text as a page shows it, also where a script puts it there. Control characters and marks that turn the direction of
 * writing would let a device name rewrite what stands beside it: they are shown as a replacement character.
 */
export function shownText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, (mark) =>
      mark === '\n' || mark === '\t' ? mark : '\uFFFD',
    );
}

/** The same as HTML. */
export function escapeHtml(text: string): string {
  return shownText(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

function render(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return part.map(render).join('');
  return escapeHtml(String(part));
}

export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(
    strings.reduce((text, string, index) => text + (index > 0 ? render(parts[index - 1]) : '') + string, ''),
  );
}

/** A data block for a script: JSON that no text in it can end. Browsers do not run it, so a strict policy lets it pass. */
export function jsonBlock(id: string, value: unknown): Html {
  return html`<script type="application/json" id="${id}">${new Html(JSON.stringify(value).replaceAll('<', '\\u003c'))}</script>`;
}
