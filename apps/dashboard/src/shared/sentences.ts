/**
 * What a screen reader should hear next of a growing answer: whole sentences only, so that it never reads a word in pieces.
 * `from` is how many characters were handed over before; `done` hands over the rest.
 */
export function nextSentences(
  text: string,
  from: number,
  done: boolean,
): { readonly spoken: string; readonly upTo: number } {
  if (done) return { spoken: text.slice(from).trim(), upTo: text.length };
  const end = /[.!?…:;](?=\s)(?![\s\S]*[.!?…:;](?=\s))/.exec(text.slice(from));
  if (end === null) return { spoken: '', upTo: from };
  const upTo = from + end.index + 1;
  return { spoken: text.slice(from, upTo).trim(), upTo };
}
