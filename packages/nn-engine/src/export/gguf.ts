/**
 * The GGUF container, version 3 (github.com/ggml-org/ggml, docs/gguf.md): magic, version, counts, key-value pairs, tensor infos, then the data of each
 * tensor at a multiple of the alignment. Little-endian throughout.
 */
export type GgufValue =
  | string
  | boolean
  | { readonly uint32: number }
  | { readonly float32: number }
  | { readonly strings: readonly string[] }
  | { readonly floats: readonly number[] }
  | { readonly int32s: readonly number[] };

export interface GgufTensor {
  readonly name: string;
  /** Innermost size first, as GGUF has it: a row-major [rows, columns] is [columns, rows]. */
  readonly sizes: readonly number[];
  readonly data: Float32Array;
  /** The data in blocks of Q8_0, which are written in its place. */
  readonly q8?: Uint8Array | undefined;
}

export interface GgufFile {
  readonly metadata: Readonly<Record<string, GgufValue>>;
  readonly tensors: readonly GgufTensor[];
}

const version = 3;
const alignment = 32;
const valueTypes = { uint32: 4, int32: 5, float32: 6, boolean: 7, string: 8, array: 9 } as const;
/** ggml's numbers of tensor types. */
const tensorTypes = { float32: 0, q8: 8 } as const;

/** The bytes of a GGUF file with tensors in float32 or Q8_0. */
export function encodeGguf({ metadata, tensors }: GgufFile): Uint8Array {
  const header = new ByteWriter();
  header.bytes(new TextEncoder().encode('GGUF'));
  header.uint32(version);
  header.uint64(tensors.length);
  header.uint64(Object.keys(metadata).length + 1);
  for (const [key, value] of Object.entries({ ...metadata, 'general.alignment': { uint32: alignment } })) {
    header.string(key);
    writeValue(header, value);
  }
  let offset = 0;
  for (const { name, sizes, data, q8 } of tensors) {
    header.string(name);
    header.uint32(sizes.length);
    for (const size of sizes) header.uint64(size);
    header.uint32(q8 === undefined ? tensorTypes.float32 : tensorTypes.q8);
    header.uint64(offset);
    offset += aligned((q8 ?? data).byteLength);
  }
  const file = new Uint8Array(aligned(header.length) + offset);
  file.set(header.finish());
  let place = aligned(header.length);
  for (const { data, q8 } of tensors) {
    const written = q8 ?? data;
    file.set(new Uint8Array(written.buffer, written.byteOffset, written.byteLength), place);
    place += aligned(written.byteLength);
  }
  return file;
}

function writeValue(writer: ByteWriter, value: GgufValue): void {
  if (typeof value === 'string') {
    writer.uint32(valueTypes.string);
    writer.string(value);
  } else if (typeof value === 'boolean') {
    writer.uint32(valueTypes.boolean);
    writer.bytes(Uint8Array.of(value ? 1 : 0));
  } else if ('uint32' in value) {
    writer.uint32(valueTypes.uint32);
    writer.uint32(value.uint32);
  } else if ('float32' in value) {
    writer.uint32(valueTypes.float32);
    writer.float32(value.float32);
  } else if ('strings' in value) {
    writeArray(writer, 'string', value.strings, (item) => writer.string(item));
  } else if ('floats' in value) {
    writeArray(writer, 'float32', value.floats, (item) => writer.float32(item));
  } else {
    writeArray(writer, 'int32', value.int32s, (item) => writer.uint32(item >>> 0));
  }
}

function writeArray<T>(
  writer: ByteWriter,
  type: keyof typeof valueTypes,
  items: readonly T[],
  write: (item: T) => void,
): void {
  writer.uint32(valueTypes.array);
  writer.uint32(valueTypes[type]);
  writer.uint64(items.length);
  for (const item of items) write(item);
}

const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

class ByteWriter {
  #bytes = new Uint8Array(4096);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  bytes(source: Uint8Array): void {
    this.#room(source.length).set(source);
  }

  uint32(value: number): void {
    this.#view(4).setUint32(0, value, true);
  }

  uint64(value: number): void {
    this.#view(8).setBigUint64(0, BigInt(value), true);
  }

  float32(value: number): void {
    this.#view(4).setFloat32(0, value, true);
  }

  string(text: string): void {
    const encoded = new TextEncoder().encode(text);
    this.uint64(encoded.length);
    this.bytes(encoded);
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #view(count: number): DataView {
    const room = this.#room(count);
    return new DataView(room.buffer, room.byteOffset, count);
  }

  #room(count: number): Uint8Array {
    const needed = this.#length + count;
    if (needed > this.#bytes.length) {
      const longer = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      longer.set(this.finish());
      this.#bytes = longer;
    }
    const room = this.#bytes.subarray(this.#length, needed);
    this.#length = needed;
    return room;
  }
}
