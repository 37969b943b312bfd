import { nobleCrypto } from '../crypto/noble.ts';
import { PeerAiError } from '../errors.ts';
import type { Shelf } from '../ports/index.ts';

/** Files in memory, with a way to see them all and to break the next write. */
export class MemoryShelf implements Shelf {
  readonly files = new Map<string, Uint8Array>();
  #failure: PeerAiError | undefined;

  failNextWrite(code: string): void {
    this.#failure = new PeerAiError(code, 'this write fails');
  }

  async write(name: string, offset: number, bytes: Uint8Array): Promise<void> {
    checkName(name);
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    const before = this.files.get(name);
    const length = Math.max(before?.length ?? 0, offset + bytes.length);
    let room = before?.buffer;
    if (room === undefined || room.byteLength < length) {
      // Twice as much each time, so that a long file that grows costs no square of its length.
      const grown = new Uint8Array(2 * length);
      grown.set(before ?? []);
      room = grown.buffer;
    }
    const whole = new Uint8Array(room, 0, length);
    whole.set(bytes, offset);
    this.files.set(name, whole);
  }

  async read(name: string, offset: number, count: number): Promise<Uint8Array> {
    return this.#file(name).slice(offset, offset + count);
  }

  async sha256(name: string): Promise<Uint8Array> {
    return nobleCrypto.sha256(this.#file(name));
  }

  async move(from: string, to: string): Promise<void> {
    checkName(to);
    const bytes = this.files.get(from);
    if (bytes === undefined) return;
    this.files.delete(from);
    this.files.set(to, bytes);
  }

  async remove(name: string): Promise<void> {
    this.files.delete(name);
  }

  async list(folder: string): Promise<readonly string[]> {
    const start = `${folder}/`;
    const inside = [...this.files.keys()]
      .filter((name) => name.startsWith(start))
      .map((name) => name.slice(start.length));
    return inside.filter((name) => !name.includes('/')).toSorted();
  }

  path(name: string): string {
    return `/memory/${name}`;
  }

  #file(name: string): Uint8Array {
    const bytes = this.files.get(checkName(name));
    if (bytes === undefined) throw new PeerAiError('NOT_FOUND', 'there is no such file');
    return bytes;
  }
}

function checkName(name: string): string {
  const parts = name.split('/');
  const isGood = parts.every((part) => part !== '' && part !== '.' && part !== '..' && !/[\0\\]/u.test(part));
  if (!isGood) throw new PeerAiError('INVALID_FORMAT', 'this is no name of a file');
  return name;
}
