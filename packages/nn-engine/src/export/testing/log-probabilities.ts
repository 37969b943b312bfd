import { createNodeRuntime } from '../../node/index.ts';

/** log softmax(scores), nats. */
export function logProbabilities(scores: ArrayLike<number>): number[] {
  const all = Array.from(scores);
  const greatest = all.reduce((most, score) => Math.max(most, score), -Infinity);
  const sum = greatest + Math.log(all.reduce((total, score) => total + Math.exp(score - greatest), 0));
  return all.map((score) => score - sum);
}

/** What an exported language model gives in ONNX Runtime: for each place the log-probabilities of what follows. */
export async function onnxLogProbabilities(file: Uint8Array, tokens: readonly number[]): Promise<number[][]> {
  const { signal } = new AbortController();
  await using program = await createNodeRuntime().load(file, { signal });
  const feed = { type: 'int64', shape: [1, tokens.length], data: BigInt64Array.from(tokens, BigInt) } as const;
  const { logits } = await program.run({ input_ids: feed }, signal);
  if (logits?.type !== 'float32') throw new Error('the model gives no scores');
  const vocabulary = logits.data.length / tokens.length;
  return tokens.map((_, place) =>
    logProbabilities(logits.data.subarray(place * vocabulary, (place + 1) * vocabulary) as Float32Array),
  );
}

/** How far two are apart, place by place and token by token, nats; another number of places or tokens is infinitely far. */
export function distance(ones: readonly (readonly number[])[], others: readonly (readonly number[])[]) {
  let [worst, sum, compared] = [ones.length === others.length ? 0 : Infinity, 0, 0];
  ones.forEach((one, place) => {
    if (one.length !== others[place]?.length) worst = Infinity;
    one.forEach((value, token) => {
      const difference = Math.abs(value - (others[place]?.[token] ?? Infinity));
      worst = Math.max(worst, difference);
      sum += difference;
      compared += 1;
    });
  });
  return { worst, average: sum / compared, compared };
}
