/**
 * What was worked out for a name, kept for the next time; the least recently used leaves first. Names come from strangers, so it is bounded.
 * What `make` throws is passed on, and nothing is kept.
 */
export function keepRecent<Value extends object | string>(
  entriesMax: number,
  make: (name: string) => Value,
): (name: string) => Value {
  const entries = new Map<string, Value>();
  return (name) => {
    const known = entries.get(name);
    if (known !== undefined) entries.delete(name);
    const value = known ?? make(name);
    entries.set(name, value);
    const oldest = entries.size > entriesMax ? entries.keys().next().value : undefined;
    if (oldest !== undefined) entries.delete(oldest);
    return value;
  };
}
