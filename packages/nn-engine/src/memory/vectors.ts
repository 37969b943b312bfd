/** float32, little-endian. */
export function bytesOfFloats(vector: Float32Array): Uint8Array {
  const bytes = new Uint8Array(vector.length * 4);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < vector.length; index += 1) view.setFloat32(index * 4, vector[index] ?? 0, true);
  return bytes;
}

/** The other way; a rest of fewer than four bytes is left, so that writing again shows it. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const vector = new Float32Array(bytes.length >> 2);
  for (let index = 0; index < vector.length; index += 1) vector[index] = view.getFloat32(index * 4, true);
  return vector;
}

/** Nothing in it is infinite or not a number. */
export function allFinite(vector: Float32Array): boolean {
  for (let index = 0; index < vector.length; index += 1) if (!Number.isFinite(vector[index])) return false;
  return true;
}

/** What rounding to float32 may leave of a length of 1. */
const normSlack = 1e-3;

/** Length 1, or every value 0; nothing that is not finite. */
export function isUnit(vector: Float32Array): boolean {
  let sum = 0;
  for (let index = 0; index < vector.length; index += 1) sum += (vector[index] ?? 0) ** 2;
  return sum === 0 || Math.abs(Math.sqrt(sum) - 1) <= normSlack;
}

/**
 * The dot product of a row of a table and a vector. Four sums, so that one addition need not wait for the one before; the same order always, so
 * that a · b = b · a to the last bit.
 */
export function dot(table: Float32Array, start: number, vector: Float32Array): number {
  let [one, two, three, four] = [0, 0, 0, 0];
  const whole = vector.length & ~3;
  for (let index = 0; index < whole; index += 4) {
    const place = start + index;
    one += (table[place] as number) * (vector[index] as number);
    two += (table[place + 1] as number) * (vector[index + 1] as number);
    three += (table[place + 2] as number) * (vector[index + 2] as number);
    four += (table[place + 3] as number) * (vector[index + 3] as number);
  }
  for (let index = whole; index < vector.length; index += 1)
    one += (table[start + index] as number) * (vector[index] as number);
  return one + two + (three + four);
}

/** Rows of one width side by side; taking one out moves the last into its place. */
export class VectorTable {
  readonly dimensions: number;
  #values: Float32Array;
  #count = 0;

  constructor(dimensions: number) {
    this.dimensions = dimensions;
    this.#values = new Float32Array(dimensions);
  }

  get count(): number {
    return this.#count;
  }

  add(vector: Float32Array): void {
    const end = (this.#count + 1) * this.dimensions;
    if (end > this.#values.length) {
      const wider = new Float32Array(this.#values.length * 2);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values.set(vector, this.#count * this.dimensions);
    this.#count += 1;
  }

  remove(place: number): void {
    this.#count -= 1;
    const last = this.#count * this.dimensions;
    this.#values.copyWithin(place * this.dimensions, last, last + this.dimensions);
  }

  row(place: number): Float32Array {
    return this.#values.subarray(place * this.dimensions, (place + 1) * this.dimensions);
  }

  /** The cosine of a row and a vector, both of length 1 (or 0, then 0). */
  cosine(place: number, vector: Float32Array): number {
    return Math.max(-1, Math.min(1, dot(this.#values, place * this.dimensions, vector)));
  }
}
