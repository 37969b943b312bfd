/** Micro-credits as credits, with a comma at thousands and no more digits than it has. */
export function credits(micro: string): string {
  const value = BigInt(micro);
  const size = value < 0n ? -value : value;
  const part = `${size % 1_000_000n}`.padStart(6, '0').replace(/0+$/u, '');
  const whole = (size / 1_000_000n).toLocaleString('en');
  return `${value < 0n ? '-' : ''}${whole}${part === '' ? '' : `.${part}`}`;
}

/** Credits with six places at the most, such as `0.25`, in micro-credits. */
export function microOf(text: string): string {
  const [whole = '', part = ''] = text.split('.', 2);
  return `${BigInt(`${whole}${part.padEnd(6, '0')}`)}`;
}

/** Wei in the chain's coin, which has 18 places: `0.004`. */
export function coins(wei: string): string {
  const places = wei.padStart(19, '0');
  const part = places.slice(-18).replace(/0+$/u, '');
  return `${places.slice(0, -18)}${part === '' ? '' : `.${part}`}`;
}

/** The part of `most` that an amount is, between -1 and 1. */
export function partOf(micro: string, most: string): number {
  const share = Number(micro) / Math.max(1, Number(most));
  return Math.max(-1, Math.min(1, share));
}

/** Micro-credits that a lease of storage locks: price of a MiB and an hour × bytes × time, rounded up. */
export function storagePrice(
  unitPriceMicro: string,
  { bytes, minutes }: { readonly bytes: number; readonly minutes: number },
): string {
  const unit = 1_048_576n * 60n;
  return `${(BigInt(unitPriceMicro) * BigInt(bytes) * BigInt(minutes) + unit - 1n) / unit}`;
}

/** Micro-credits that a lease of a model locks: price of 1,000 tokens × tokens, rounded up. */
export const modelPrice = (unitPriceMicro: string, tokens: number): string =>
  `${(BigInt(unitPriceMicro) * BigInt(tokens) + 999n) / 1_000n}`;

/** Micro-credits that a lease of nodes locks: price of a node and an hour × nodes × time, rounded up. */
export function nodePrice(
  nodeHourMicro: string,
  { nodes, minutes }: { readonly nodes: number; readonly minutes: number },
): string {
  return `${(BigInt(nodeHourMicro) * BigInt(nodes) * BigInt(minutes) + 59n) / 60n}`;
}
