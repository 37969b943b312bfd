/** Numbers of few bits one after the other, the highest bit of each first, into bytes from their highest bit on. */
export interface BitWriter {
  /** @param count - 0 to 24 bits of a number below 2^count. */
  write(value: number, count: number): void;
  /** So many ones and a zero. */
  writeUnary(ones: number): void;
  /** The bytes so far; the last one is filled up with zeros. */
  bytes(): Uint8Array;
}

/** @param bytesMax - room that is taken at once. Writing beyond it is a fault of the caller, and throws RangeError. */
export function bitWriter(bytesMax: number): BitWriter {
  const bytes = new Uint8Array(bytesMax);
  let place = 0;
  const put = (bit: number): void => {
    if (place >= bytesMax * 8) throw new RangeError('More bits were written than there is room for.');
    bytes[place >> 3]! |= bit << (7 - (place & 7));
    place += 1;
  };
  return {
    write(value, count) {
      for (let bit = count - 1; bit >= 0; bit -= 1) put((value >> bit) & 1);
    },
    writeUnary(ones) {
      for (let one = 0; one < ones; one += 1) put(1);
      put(0);
    },
    bytes: () => bytes.slice(0, Math.ceil(place / 8)),
  };
}

/** Reads what `bitWriter` wrote; undefined where the bytes are over. */
export interface BitReader {
  read(count: number): number | undefined;
  /** Ones up to the next zero; undefined, too, where there are more than `onesMax`. */
  readUnary(onesMax: number): number | undefined;
  /** Whether less than a byte is left, and nothing but zeros. */
  isAtEnd(): boolean;
}

export function bitReader(bytes: Uint8Array): BitReader {
  let place = 0;
  const end = bytes.length * 8;
  const next = (): number => {
    const bit = ((bytes[place >> 3] ?? 0) >> (7 - (place & 7))) & 1;
    place += 1;
    return bit;
  };
  return {
    read(count) {
      if (place + count > end) return undefined;
      let value = 0;
      for (let bit = 0; bit < count; bit += 1) value = (value << 1) | next();
      return value;
    },
    readUnary(onesMax) {
      for (let ones = 0; ones <= onesMax; ones += 1) {
        if (place >= end) return undefined;
        if (next() === 0) return ones;
      }
      return undefined;
    },
    isAtEnd() {
      const left = end - place;
      return left < 8 && this.read(left) === 0;
    },
  };
}
