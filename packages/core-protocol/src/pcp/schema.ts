import { utf8 } from '../bytes.ts';
import { missingField, wrongField } from './errors.ts';
import { pcpLimits } from './limits.ts';

/** Takes what came and where it stood; gives it back as what it is. Throws INVALID_FORMAT or MISSING_FIELDS, naming the place. */
export type Check<T> = (value: unknown, field: string) => T;
export type Checked<C> = C extends Check<infer T> ? T : never;

/** `charsMin` characters to `bytesMax` bytes of UTF-8. */
export const text =
  (bytesMax: number, charsMin = 1): Check<string> =>
  (value, field) => {
    if (
      typeof value !== 'string' ||
      value.length < charsMin ||
      value.length > bytesMax ||
      utf8(value).length > bytesMax
    ) {
      throw wrongField(field);
    }
    return value;
  };
/** Hex digits of exactly so many bytes. */
export const hexOf =
  (byteCount: number): Check<string> =>
  (value, field) => {
    if (typeof value !== 'string' || value.length !== byteCount * 2 || !/^[0-9a-fA-F]*$/.test(value)) {
      throw wrongField(field);
    }
    return value;
  };
export const oneText =
  <const Names extends readonly string[]>(names: Names): Check<Names[number]> =>
  (value, field) => {
    if (!names.includes(value as string)) throw wrongField(field);
    return value as Names[number];
  };
/** A finite number within both bounds. */
export const amount =
  (min: number, max: number): Check<number> =>
  (value, field) => {
    if (typeof value !== 'number' || !(value >= min && value <= max)) throw wrongField(field);
    return value;
  };
export const count =
  (max: number = Number.MAX_SAFE_INTEGER): Check<number> =>
  (value, field) => {
    if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > max) throw wrongField(field);
    return value as number;
  };
export const flag: Check<boolean> = (value, field) => {
  if (typeof value !== 'boolean') throw wrongField(field);
  return value;
};
export const either =
  <A, B>(first: Check<A>, second: Check<B>): Check<A | B> =>
  (value, field) => {
    try {
      return first(value, field);
    } catch {
      return second(value, field);
    }
  };
export const listOf =
  <T>(item: Check<T>, countMax: number): Check<readonly T[]> =>
  (value, field) => {
    if (!Array.isArray(value) || value.length > countMax) throw wrongField(field);
    return value.map((one: unknown, place) => item(one, `${field}[${place}]`));
  };
/** An object whose members nobody names: JSON of at most `freeValuesMax` values. */
export const free: Check<Readonly<Record<string, unknown>>> = (value, field) => {
  if (
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value) ||
    countValues(value) > pcpLimits.freeValuesMax
  ) {
    throw wrongField(field);
  }
  return value as Readonly<Record<string, unknown>>;
};

/** Stops counting one above the limit. The depth is bounded by whoever parsed the message. */
function countValues(value: unknown): number {
  const waiting = [value];
  let values = 0;
  while (waiting.length > 0 && values <= pcpLimits.freeValuesMax) {
    const one = waiting.pop();
    values += 1;
    if (typeof one !== 'object' || one === null) continue;
    for (const inner of Object.values(one)) {
      waiting.push(inner);
      if (waiting.length > pcpLimits.freeValuesMax) return pcpLimits.freeValuesMax + 1;
    }
  }
  return values;
}

type Checks = Readonly<Record<string, Check<unknown>>>;
type Shape<R extends Checks, O extends Checks> = { readonly [K in keyof R]: Checked<R[K]> } & {
  readonly [K in keyof O]?: Checked<O[K]>;
};
/**
 * An object with these fields. Others are left out, `extraFieldsMax` of them at most; null counts as absent, as Python peers write None.
 */
export function shape<R extends Checks, O extends Checks>(required: R, optional: O): Check<Shape<R, O>> {
  const known = new Set([...Object.keys(required), ...Object.keys(optional)]);
  return (value, field) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongField(field);
    const given = value as Readonly<Record<string, unknown>>;
    const place = (name: string): string => `${field}.${name}`;
    const extra = Object.keys(given).filter((name) => !known.has(name));
    if (extra.length > pcpLimits.extraFieldsMax) throw wrongField(place((extra[0] ?? '').slice(0, 40)));
    const result: Record<string, unknown> = {};
    for (const [name, check] of [...Object.entries(required), ...Object.entries(optional)]) {
      const one = Object.hasOwn(given, name) ? given[name] : undefined;
      if (one !== undefined && one !== null) result[name] = check(one, place(name));
      else if (Object.hasOwn(required, name)) throw missingField(place(name));
    }
    return result as Shape<R, O>;
  };
}
