import type { ArgsDef } from 'citty';

/**
 * `--tag a --tag b` is `--tag a,b` where a flag takes several, which the comma in its hint tells; any other flag with a value stands once,
 * and the one that is repeated is named, so that no value is silently the last.
 */
export function joinRepeated(
  words: readonly string[],
  known: ArgsDef,
): { readonly words: readonly string[]; readonly twice?: string } {
  const flags = flagsOf(known);
  const kept: string[] = [];
  const places = new Map<string, number>();
  const end = words.indexOf('--');
  const before = end < 0 ? words : words.slice(0, end);
  for (let at = 0; at < before.length; at += 1) {
    const word = before[at] ?? '';
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const flag = flags.get(equals < 0 ? word : word.slice(0, equals));
    const value = equals >= 0 ? word.slice(equals + 1) : before[at + 1];
    if (flag === undefined || value === undefined) {
      kept.push(word);
      continue;
    }
    if (equals < 0) at += 1;
    const place = places.get(flag.name);
    if (place === undefined) {
      places.set(flag.name, kept.length);
      kept.push(`--${flag.name}=${value}`);
    } else if (flag.isList) {
      kept[place] = `${kept[place] ?? ''},${value}`;
    } else return { words, twice: `--${flag.name}` };
  }
  return { words: [...kept, ...(end < 0 ? [] : words.slice(end))] };
}

/** Flags with a value, by each way to write them. */
function flagsOf(known: ArgsDef): ReadonlyMap<string, { readonly name: string; readonly isList: boolean }> {
  const flags = new Map<string, { readonly name: string; readonly isList: boolean }>();
  for (const [name, definition] of Object.entries(known)) {
    if (definition.type !== 'string') continue;
    const aliases = [definition.alias ?? []].flat();
    const flag = { name, isList: definition.valueHint?.includes(',') === true };
    for (const one of [`--${name}`, ...aliases.map((alias) => `-${alias}`)]) flags.set(one, flag);
  }
  return flags;
}
