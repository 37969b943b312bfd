/**
 * Whole files by name, apart from the Store: what is too large for a row, and what people open with other programs.
 * A name is parts of at most 255 UTF-8 bytes with `/` between them; no part is empty, `.` or `..`, or holds NUL or `\`. Throws STORE_FULL.
 */
export interface Shelf {
  /** Writes at this place, making the file when there is none; what was skipped reads as zeros. On disk when it resolves. */
  write(name: string, offset: number, bytes: Uint8Array): Promise<void>;
  /** At most `count` bytes from `offset`; fewer only at the end. Throws NOT_FOUND. */
  read(name: string, offset: number, count: number): Promise<Uint8Array>;
  /** SHA-256 of the whole, read in pieces. Throws NOT_FOUND. */
  sha256(name: string): Promise<Uint8Array>;
  /** Takes the place of what is there. Nothing where there is no `from`: it may be done twice. On disk when it resolves. */
  move(from: string, to: string): Promise<void>;
  /** Nothing where there is none. */
  remove(name: string): Promise<void>;
  /** Names in one folder, without it; empty where there is none. */
  list(folder: string): Promise<readonly string[]>;
  /** Where people find it. */
  path(name: string): string;
}
