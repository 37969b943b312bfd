/** How much worse than the tutorial's a figure may be: another processor rounds in another way, and a run multiplies that. */
const [lossMore, percentLess] = [0.1, 8];

/**
 * Whether the shown lines stand among the printed ones, in this order: words and counts as they are; sizes and times of another value; a loss and a share of right answers about as good.
 * A line of `…` stands for any. Returns what is missing or worse.
 */
export function differences(shown: readonly string[], printed: string): readonly string[] {
  const lines = printed.split('\n');
  let at = 0;
  return shown.flatMap((line) => {
    if (line === '…') return [];
    const shape = shapeOf(line);
    const found = lines.findIndex((one, index) => index >= at && shape.test(one));
    if (found < 0) return [`not printed: ${line}`];
    at = found + 1;
    return worse(line, lines[found] ?? '');
  });
}

function shapeOf(line: string): RegExp {
  const words = line.split(/\s+/u).map((word) =>
    word
      .replaceAll(/[\\^$.*+?()[\]{}|]/gu, '\\$&')
      .replaceAll('…', '\\S*')
      .replaceAll(/\b(?:[0-9a-f]{64}|(?=[a-f]*\d)[0-9a-f]{16})\b/gu, (hex) => `[0-9a-f]{${hex.length}}`)
      .replaceAll(/:\d{4,5}\//gu, ':\\d+/')
      .replaceAll(/\d+\\\.\d+(?=$|\D)/gu, '[\\d.]+'),
  );
  // How many were right follows from the share of them, which is compared below.
  const text = words.join('\\s+').replace(/^\d+(?=\\s\+of\\s\+\d+\\s\+rows\b)/u, '\\d+');
  return new RegExp(`^${text}$`, 'u');
}

function worse(shown: string, printed: string): readonly string[] {
  const figures = (line: string, mark: RegExp): number[] =>
    [...line.matchAll(mark)].map(([, figure]) => Number(figure));
  const losses = /\bloss (\d+\.\d+)/gu;
  const shares = /(\d+\.\d+) %/gu;
  const isWorse =
    figures(shown, losses).some((loss, index) => !((figures(printed, losses)[index] ?? NaN) <= loss + lossMore)) ||
    figures(shown, shares).some((share, index) => !((figures(printed, shares)[index] ?? NaN) >= share - percentLess));
  return isWorse ? [`worse than shown: ${printed} (shown: ${shown})`] : [];
}
