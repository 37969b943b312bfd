import { PeerAiError } from '@peerai/core-protocol';

/** By id, by its unique beginning (8 characters or more), or by name. Throws `code` for none, and for several. */
export function findNamed<One extends { readonly id: string; readonly name: string }>(
  all: readonly One[],
  text: string,
  { code, what }: { readonly code: 'GROUP_UNKNOWN' | 'DOCUMENT_UNKNOWN'; readonly what: string },
): One {
  const exact = all.find(({ id }) => id === text);
  if (exact !== undefined) return exact;
  const named = all.filter(({ id, name }) => name === text || (text.length >= 8 && id.startsWith(text)));
  const [one] = named;
  if (one !== undefined && named.length === 1) return one;
  throw new PeerAiError(
    code,
    named.length === 0
      ? `there is no ${what} "${text.slice(0, 64)}" here`
      : `several ${what}s are called that; give the id`,
  );
}
