/**
 * Text of tokens as they come. A token's text depends on the ones before it (a space, half a letter), so each is read together with the few before it,
 * and what that adds is shown; half a letter waits for its other half.
 *
 * @param decode - text of tokens, at least one.
 */
export function tokenReader(decode: (tokens: number[]) => string): { push(token: number): string; end(): string } {
  const tokens: number[] = [];
  /** Where the tokens begin that are read again, and those that were not shown. */
  let [from, shown] = [0, 0];
  const read = (to?: number): string => (from === (to ?? tokens.length) ? '' : decode(tokens.slice(from, to)));
  const take = (waits: boolean): string => {
    const [before, all] = [read(shown), read()];
    if (waits && all.endsWith('\uFFFD') && tokens.length - shown < lettersBytesMax) return '';
    [from, shown] = [shown, tokens.length];
    return all.slice(before.length);
  };
  return {
    push(token) {
      tokens.push(token);
      return take(true);
    },
    end: () => (shown === tokens.length ? '' : take(false)),
  };
}

/** A letter has four bytes at the most: more tokens than that are no half letter. */
const lettersBytesMax = 4;
