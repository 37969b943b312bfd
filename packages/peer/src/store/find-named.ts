import { PeerAiError } from '@peerai/core-protocol';

/** Digits of an id that name something where no other id begins with them, and digits shown where several things are meant. */
const idDigitsMin = 8;
const idDigitsShown = 12;

/** Whether this text is that id, or enough of its beginning. */
export const isIdOf = (id: string, text: string): boolean =>
  id === text || (text.length >= idDigitsMin && id.startsWith(text));

/** By id, by its unique beginning (8 characters or more), or by name. Throws `code` for none, and for several, and says what to give instead. */
export function findNamed<One extends { readonly id: string; readonly name: string }>(
  all: readonly One[],
  text: string,
  {
    code,
    what,
    hint,
  }: { readonly code: 'GROUP_UNKNOWN' | 'DOCUMENT_UNKNOWN'; readonly what: string; readonly hint?: string },
): One {
  const exact = all.find(({ id }) => id === text);
  if (exact !== undefined) return exact;
  const named = all.filter(({ id, name }) => name === text || isIdOf(id, text));
  const [one] = named;
  if (one !== undefined && named.length === 1) return one;
  const said = `"${text.slice(0, 64)}"`;
  const ids = named.map(({ id }) => id.slice(0, idDigitsShown)).join(', ');
  const isShort = all.some(({ id }) => text !== '' && id.startsWith(text));
  const none = isShort
    ? `${said} is too little of an id: give ${idDigitsMin} digits or more`
    : `there is no ${what} ${said} here`;
  const why = named.length === 0 ? none : `several ${what}s are called ${said}; give the id: ${ids}`;
  throw new PeerAiError(code, why, hint === undefined ? {} : { hint });
}
