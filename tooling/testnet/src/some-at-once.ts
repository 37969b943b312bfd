/**
 * Does the work for every item, at most `atOnce` of them at a time, in their order. The answers have the order of the items.
 * After the first failure nothing new is begun; that failure is thrown once what is under way has ended, so that nothing is left running unseen.
 */
export async function someAtOnce<Item, Answer>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, index: number) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const failures: unknown[] = [];
  const waiting = [...items.entries()];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && failures.length === 0; next = waiting.shift()) {
      const [index, item] = next;
      try {
        answers[index] = await work(item, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, atOnce) }, lane));
  if (failures.length > 0) throw failures[0];
  return answers;
}

/** Every pair of the items once, ordered so that pairs near each other share no item where that can be: a round robin by the circle method. */
export function roundRobin<Item>(items: readonly Item[]): readonly (readonly [Item, Item])[] {
  const seats: (Item | undefined)[] = [...items, ...(items.length % 2 === 0 ? [] : [undefined])];
  const pairs: (readonly [Item, Item])[] = [];
  for (let round = 1; round < seats.length; round += 1) {
    for (let seat = 0; seat < seats.length / 2; seat += 1) {
      const [one, other] = [seats[seat], seats[seats.length - 1 - seat]];
      if (one !== undefined && other !== undefined) pairs.push([one, other]);
    }
    seats.splice(1, 0, seats.pop());
  }
  return pairs;
}
