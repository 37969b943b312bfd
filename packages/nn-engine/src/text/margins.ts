interface Piece {
  /** Characters that were read when it ended. */
  readonly end: number;
  readonly margin: number;
}

/** How sure a model was of each piece of text that it shows: as sure as of the least sure token in it. */
export interface Margins {
  /** A token was chosen and gave this text, or none yet: part of a letter. */
  read(text: string, margin: number): void;
  /** So much more was shown. Gives the least margin of its tokens. */
  shown(text: string): number;
  /** The least margin of what was read and not shown. */
  rest(): number;
}

export function createMargins(): Margins {
  const pieces: Piece[] = [];
  let [readTo, shownTo, partly] = [0, 0, Infinity];
  return {
    read(text, margin) {
      partly = Math.min(partly, margin);
      if (text === '') return;
      readTo += text.length;
      pieces.push({ end: readTo, margin: partly });
      partly = Infinity;
    },
    shown(text) {
      shownTo += text.length;
      let least = Infinity;
      for (let first = pieces[0]; first !== undefined; [first] = pieces) {
        least = Math.min(least, first.margin);
        if (first.end > shownTo) break;
        pieces.shift();
        if (first.end === shownTo) break;
      }
      return least;
    },
    rest: () => Math.min(partly, ...pieces.map(({ margin }) => margin)),
  };
}
