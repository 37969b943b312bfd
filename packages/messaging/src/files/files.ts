import {
  type Change,
  type Clock,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
  type Shelf,
  type Store,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import { type FileRecord, openFileBook } from './book.ts';
import { fileLimits } from './limits.ts';
import { fileAnswerForm, type FileAnswer, type FileQuestion, fileQuestionForm } from './protocol.ts';
import { createFileReceiver, type FileReceiver } from './receiver.ts';
import { createFileSender, type FileSender, sendingName } from './sender.ts';
import type { FileHttp } from './ways.ts';

export interface PeerFilesDeps {
  /** A room of its own; `received` may give changes of any room of the same file. */
  readonly store: Store;
  readonly shelf: Shelf;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly http?: FileHttp;
  /** A file is here: what is committed with that note. */
  readonly received?: (record: FileRecord) => Promise<readonly Change[]>;
  /** After each change of a record, pieces included. */
  readonly changed?: (record: FileRecord) => void;
}
/** Files to and from peers: sent until they are there, taken once, over restarts of either side. */
export interface PeerFiles {
  /** On the disk when it resolves; sent from then on. Throws LIMIT_EXCEEDED (too long), LIMIT_REACHED (too much waits), INVALID_FORMAT (the name), STORE_FULL. */
  send(to: PeerId, name: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<FileRecord>;
  all(): readonly FileRecord[];
  /** Why a file that waits for this peer waits. */
  lastFailure(peer: PeerId): string | undefined;
  /** Cancels one that is on its way, removes one that is here. Throws FILE_UNKNOWN. */
  end(id: string): Promise<FileRecord>;
  /** The answer to a question over a link. */
  answer(peer: PeerId, question: FileQuestion): Promise<FileAnswer>;
  /** The same by HTTP, bytes for bytes; `admit` may refuse for now. Never throws what the other side sent wrong. */
  answerHttp(peer: PeerId, question: Uint8Array, admit: () => void): Promise<Uint8Array>;
  readonly takeWhole: FileReceiver['takeWhole'];
  /** True for a sender's file that came whole, or comes now. */
  hasTaken(peer: PeerId, transfer: string): boolean;
  /** Goes on with what waits. */
  start(signal: AbortSignal): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/** Throws what the store throws. */
export async function openPeerFiles(deps: PeerFilesDeps): Promise<PeerFiles> {
  const { shelf, clock, random, received = async () => [], changed = () => undefined } = deps;
  const book = await openFileBook(deps.store);
  const receiver = createFileReceiver({ book, shelf, clock, random, received, changed });
  let running: { readonly sender: FileSender; readonly ending: AbortController } | undefined;
  /** Bytes of uploads that no record speaks of yet, and how many they are. */
  const coming = { files: 0, bytes: 0 };
  const outgoing = (): readonly FileRecord[] =>
    book.all().filter(({ direction, state }) => direction === 'out' && state === 'moving');
  const checkOutbox = (): void => {
    const bytes = outgoing().reduce((sum, { size }) => sum + size, coming.bytes);
    if (outgoing().length + coming.files <= fileLimits.sendingMax && bytes <= fileLimits.sendingBytesMax) return;
    throw new PeerAiError('LIMIT_REACHED', 'too many files wait to be sent');
  };
  /** @param upload - counts what it brought, however it ends */
  const store = async (
    name: string,
    bytes: AsyncIterable<Uint8Array>,
    upload: { bytes: number },
    signal: AbortSignal,
  ): Promise<void> => {
    await shelf.write(name, 0, new Uint8Array());
    for await (const piece of gathered(bytes)) {
      signal.throwIfAborted();
      if (upload.bytes + piece.length > fileLimits.fileBytesMax) {
        const { fileBytesMax } = fileLimits;
        throw new PeerAiError('LIMIT_EXCEEDED', `a file may have ${fileBytesMax} bytes, this one has more`, {
          fileBytesMax,
        });
      }
      coming.bytes += piece.length;
      upload.bytes += piece.length;
      checkOutbox();
      await shelf.write(name, upload.bytes - piece.length, piece);
    }
  };
  return {
    async send(to, name, bytes, signal) {
      const id = toHex(random.bytes(16));
      const nameBytes = utf8(name).length;
      if (nameBytes === 0 || nameBytes > fileLimits.nameBytesMax || !name.isWellFormed()) {
        throw new PeerAiError('INVALID_FORMAT', `a file's name has 1 to ${fileLimits.nameBytesMax} bytes`);
      }
      const upload = { bytes: 0 };
      coming.files += 1;
      const place = sendingName({ id });
      try {
        checkOutbox();
        await store(place, bytes, upload, signal);
        const nowMs = clock.nowMs();
        const record: FileRecord = {
          id,
          direction: 'out',
          peer: to,
          transfer: id,
          name,
          size: upload.bytes,
          sha256: toHex(await shelf.sha256(place)),
          state: 'moving',
          startedMs: nowMs,
          touchedMs: nowMs,
          moved: 0,
        };
        await book.put(record);
        changed(record);
        running?.sender.wake(to);
        return record;
      } catch (error) {
        await shelf.remove(place);
        throw error;
      } finally {
        coming.files -= 1;
        coming.bytes -= upload.bytes;
      }
    },
    all: () => book.all(),
    lastFailure: (peer) => running?.sender.lastFailure(peer),
    async end(id) {
      const record = book.get(id);
      if (record === undefined) throw new PeerAiError('FILE_UNKNOWN', 'there is no such file');
      if (record.direction === 'in') return receiver.end(record);
      return record.state === 'moving' && running !== undefined ? running.sender.cancel(record) : record;
    },
    answer: (peer, question) => receiver.answer(peer, question, 'link'),
    async answerHttp(peer, question, admit) {
      let answer: FileAnswer;
      try {
        admit();
        answer = await receiver.answer(peer, fileQuestionForm.decode(question), 'http');
      } catch (error) {
        answer = refusal(error);
      }
      return fileAnswerForm.encode(answer);
    },
    takeWhole: receiver.takeWhole,
    hasTaken: (peer, transfer) => {
      const state = book.find('in', peer, transfer)?.state;
      return state !== undefined && state !== 'refused';
    },
    async start(signal) {
      if (running !== undefined) return;
      await receiver.tidy();
      const known = new Set(outgoing().map(({ id }) => id));
      for (const left of await shelf.list('sending')) if (!known.has(left)) await shelf.remove(`sending/${left}`);
      const ending = new AbortController();
      running = {
        ending,
        sender: createFileSender({ ...deps, book, changed }, AbortSignal.any([signal, ending.signal])),
      };
      for (const { direction, peer, state, told } of book.all()) {
        if (direction === 'out' && (state === 'moving' || told === false)) running.sender.wake(peer);
      }
    },
    async stop() {
      const ended = running;
      running = undefined;
      ended?.ending.abort(new PeerAiError('ABORTED', 'this peer is stopping'));
      await Promise.all([ended?.sender.stopped(), receiver.idle()]);
    },
  };
}

/** What goes wrong here is "later" to the other side; what it did wrong is its own fault for good. */
function refusal(error: unknown): FileAnswer {
  const code = PeerAiError.is(error) ? error.code : 'INTERNAL';
  const wait = PeerAiError.is(error) ? error.details['retryAfterMs'] : undefined;
  const retryAfterMs = typeof wait === 'number' ? Math.ceil(wait) : undefined;
  return { state: code === 'INVALID_FORMAT' ? 'refused' : 'later', missing: [], code, retryAfterMs };
}

/** The same bytes in parts of 1 MiB and a last one: each part is one write that is waited for. */
async function* gathered(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const partBytes = 4 * fileLimits.pieceBytes;
  let part = new Uint8Array(partBytes);
  let filled = 0;
  for await (const piece of bytes) {
    for (let read = 0; read < piece.length;) {
      const count = Math.min(partBytes - filled, piece.length - read);
      part.set(piece.subarray(read, read + count), filled);
      [filled, read] = [filled + count, read + count];
      if (filled < partBytes) continue;
      yield part;
      [part, filled] = [new Uint8Array(partBytes), 0];
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}
