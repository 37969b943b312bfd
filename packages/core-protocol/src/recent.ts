/**
 * What was worked out for a name, kept for the next time. Names come from strangers, so it is bounded: of `entriesMax` the younger half leaves last, and
 * what is asked for again is young again. Not the order of a list of least recent use, which costs two changes of a map for each hit.
 * What `make` throws is passed on, and nothing is kept.
 */
export function keepRecent<Value extends object | string>(
  entriesMax: number,
  make: (name: string) => Value,
): (name: string) => Value {
  const youngMax = Math.max(1, Math.floor(entriesMax / 2));
  let [young, old] = [new Map<string, Value>(), new Map<string, Value>()];
  return (name) => {
    const known = young.get(name);
    if (known !== undefined) return known;
    const value = old.get(name) ?? make(name);
    if (young.size >= youngMax) [young, old] = [new Map(), young];
    young.set(name, value);
    return value;
  };
}
