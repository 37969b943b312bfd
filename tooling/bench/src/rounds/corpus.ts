import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
/** Text of this repository: its pages, and what the nano guide was taught. */
const places = ['docs/**/*.md', 'packages/*/README.md', 'apps/*/README.md', 'packages/nn-engine/src/nano/corpus/*.ts'];
/** One paragraph in so many is kept apart and never learned. */
const heldOutEvery = 10;

export interface Text {
  /** One part for each member, of about the same length. */
  readonly parts: readonly Uint8Array[];
  readonly heldOut: Uint8Array;
}

/** Paragraphs, each once, dealt out one by one: every member has some of everything. */
export function repositoryText(members: number): Text {
  const files = globSync(places, { cwd: root }).toSorted();
  const all = files.flatMap((file) => readFileSync(join(root, file), 'utf8').split(/\n\s*\n/));
  const paragraphs = [...new Set(all.map((paragraph) => paragraph.trim()))].filter(
    (paragraph) => paragraph.length > 40,
  );
  const learned = paragraphs.filter((_, index) => index % heldOutEvery !== 0);
  const bytesOf = (some: readonly string[]): Uint8Array => new TextEncoder().encode(some.join('\n\n'));
  return {
    parts: dealt(learned, members).map(bytesOf),
    heldOut: bytesOf(paragraphs.filter((_, index) => index % heldOutEvery === 0)),
  };
}

/** Each paragraph goes to whoever has least. */
function dealt(paragraphs: readonly string[], members: number): readonly (readonly string[])[] {
  const parts = Array.from({ length: members }, () => ({ length: 0, paragraphs: [] as string[] }));
  for (const paragraph of paragraphs) {
    const [least] = parts.toSorted((a, b) => a.length - b.length);
    if (least === undefined) break;
    least.paragraphs.push(paragraph);
    least.length += paragraph.length;
  }
  return parts.map((part) => part.paragraphs);
}
