import { fromUtf8, PeerAiError, utf8 } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';

/**
 * A file of a JSON header and named byte sections: 8 bytes of magic, the header's length (uint32, little-endian), the header
 * `{...fields, sections: [[name, bytes]…]}`, then the sections, each padded to 8 bytes.
 */
export interface Container<Header> {
  readonly header: Header;
  readonly sections: ReadonlyMap<string, Uint8Array>;
}

interface SectionList {
  readonly sections: readonly (readonly [string, number])[];
}

const magicBytes = 8;
const alignment = 8;
const headerBytesMax = 1_048_576;

export function encodeContainer(magic: string, header: object, sections: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const list = Array.from(sections, ([name, bytes]) => [name, bytes.length]);
  const head = utf8(JSON.stringify({ ...header, sections: list }));
  const start = padded(magicBytes + 4 + head.length);
  const total = start + [...sections.values()].reduce((sum, bytes) => sum + padded(bytes.length), 0);
  const file = new Uint8Array(total);
  file.set(utf8(magic));
  new DataView(file.buffer).setUint32(magicBytes, head.length, true);
  file.set(head, magicBytes + 4);
  let offset = start;
  for (const bytes of sections.values()) {
    file.set(bytes, offset);
    offset += padded(bytes.length);
  }
  return file;
}

/** Section bytes are copies, aligned for typed arrays. Throws INVALID_FORMAT when the file is cut, longer, or of another kind. */
export function decodeContainer<Header extends object>(magic: string, file: Uint8Array): Container<Header> {
  if (file.length < magicBytes + 4 || !utf8(magic).every((byte, index) => file[index] === byte))
    throw invalid('is of another kind or version');
  const length = new DataView(file.buffer, file.byteOffset).getUint32(magicBytes, true);
  if (length > headerBytesMax || magicBytes + 4 + length > file.length) throw invalid('is cut');
  const header = parse(file.subarray(magicBytes + 4, magicBytes + 4 + length));
  const sections = new Map<string, Uint8Array>();
  let offset = padded(magicBytes + 4 + length);
  for (const [name, bytes] of header.sections) {
    if (offset + bytes > file.length) throw invalid('is cut');
    // Not slice: on a Buffer that would be a view.
    sections.set(name, new Uint8Array(file.subarray(offset, offset + bytes)));
    offset += padded(bytes);
  }
  if (offset !== file.length) throw invalid('has another length than its header says');
  const { sections: _, ...fields } = header;
  return { header: fields as Header, sections };
}

function parse(bytes: Uint8Array): SectionList {
  try {
    const header = JSON.parse(fromUtf8(bytes)) as { readonly sections: unknown };
    const { sections } = header;
    const fits =
      Array.isArray(sections) &&
      sections.every(([name, size]) => typeof name === 'string' && Number.isSafeInteger(size) && size >= 0);
    if (!fits) throw new TypeError('no sections');
    return header as SectionList;
  } catch (cause) {
    throw invalid('has no readable header', cause);
  }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

function invalid(what: string, cause?: unknown): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('INVALID_FORMAT', `The file ${what}.`, {}, { cause });
}
