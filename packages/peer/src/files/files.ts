import {
  type Clock,
  type CryptoProvider,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
} from '@peerai/core-protocol';
import { type Random, serveMethod, type Shelf, type Store } from '@peerai/core-protocol';
import { fileLimits, fileMethod } from '@peerai/messaging';
import type { ChunkIntake, FileHttp, FileRecord, PeerFiles } from '@peerai/messaging/files';
import type { EventHub } from '../events/hub.ts';
import { limits } from '../limits.ts';
import type { Messages } from '../messages/messages.ts';
import type { Devices } from '../pairing/devices.ts';
import { onDemand } from '../store/on-demand.ts';
import type { FilesView, FileView } from './files.schema.ts';

export interface FilesDeps {
  readonly store: Store;
  /** Without one this peer neither sends nor takes files. */
  readonly shelf?: Shelf | undefined;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
  readonly devices: Devices;
  readonly events: EventHub;
  readonly nameOf: (peer: PeerId) => string;
  readonly http: FileHttp;
  readonly messages: Pick<Messages, 'write'>;
  /** Asks an older peer for chunks that did not come, where it can be asked. */
  readonly askAgain: (peer: PeerId, payload: object) => void;
}
/** A received file's bytes, and the harmless name they are kept under. */
export interface FileContent {
  readonly file: FileView;
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}
/** Files between paired devices. */
export interface Files {
  list(): Promise<FilesView>;
  /** By id, or the beginning of it (8 digits or more). Throws FILE_UNKNOWN. */
  get(text: string): Promise<FileView>;
  /** A received file, to be read whole and once. Throws FILE_UNKNOWN; NOT_FOUND where its bytes are not here (any more). */
  read(text: string): Promise<FileContent>;
  /** Durable when it resolves. Throws DEVICE_UNKNOWN, REFUSED (blocked), LIMIT_EXCEEDED, LIMIT_REACHED, INVALID_FORMAT, STORE_FULL, UNSUPPORTED. */
  send(to: string, name: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<FileView>;
  /** Cancels one that is on its way, removes one that is here. Throws FILE_UNKNOWN. */
  end(text: string): Promise<FileView>;
  answerHttp: PeerFiles['answerHttp'];
  takeChunk: ChunkIntake;
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** What carries files is loaded when there are some: most peers never have any, and all start sooner. */
export function createFiles(deps: FilesDeps): Files {
  const { shelf, store, devices, network, clock, events } = deps;
  const room = store.room('files');
  const tell = teller(deps);
  const ending = new AbortController();
  let answering: Disposable | undefined;
  const open = async (): Promise<Opened> => {
    if (shelf === undefined) throw new PeerAiError('UNSUPPORTED', 'this peer keeps no files');
    if (ending.signal.aborted) throw new PeerAiError('ABORTED', 'this peer is stopping');
    const { openPeerFiles, createChunkIntake } = await import('@peerai/messaging/files');
    const files = await openPeerFiles({
      ...deps,
      shelf,
      store: room,
      received: (record) => deps.messages.write(messageOf(deps, record)),
      changed: (record) => {
        tell.changed(viewOf(deps, files, record), record.state !== 'moving');
        if (record.direction === 'in' && record.state === 'done') {
          events.emit({ type: 'message-received', message: messageOf(deps, record) });
        }
      },
    });
    await files.start(ending.signal);
    return { files, takeChunk: createChunkIntake({ ...deps, files, stopping: ending.signal }) };
  };
  const held = onDemand(open);
  const loaded = held.get;
  const find = async (text: string): Promise<{ readonly files: PeerFiles; readonly record: FileRecord }> => {
    const { files } = await loaded();
    const [record, another] = files.all().filter(({ id }) => id === text || (text.length >= 8 && id.startsWith(text)));
    if (record !== undefined && another === undefined) return { files, record };
    throw new PeerAiError('FILE_UNKNOWN', `there is no file "${text.slice(0, 64)}" here`);
  };
  return {
    async list() {
      const files = shelf === undefined ? undefined : (await loaded()).files;
      const all = (files?.all() ?? []).toSorted((a, b) => b.startedMs - a.startedMs);
      const kept = all.filter(({ direction, state }) => direction === 'in' && (state === 'done' || state === 'moving'));
      const { totalBytesMax, filesMax, fileBytesMax, peerBytesMax } = fileLimits;
      return {
        v: 1,
        files: files === undefined ? [] : all.map((record) => viewOf(deps, files, record)),
        room: {
          bytes: kept.reduce((sum, { size }) => sum + size, 0),
          bytesMax: totalBytesMax,
          files: kept.length,
          filesMax,
          fileBytesMax,
          peerBytesMax,
        },
      };
    },
    async get(text) {
      const { files, record } = await find(text);
      return viewOf(deps, files, record);
    },
    async read(text) {
      const { files, record } = await find(text);
      const file = viewOf(deps, files, record);
      const { kept } = record;
      if (shelf === undefined || kept === undefined || file.path === null) {
        throw new PeerAiError('NOT_FOUND', 'this is no received file that is here');
      }
      // Asked before the answer begins: who removed the file with another program gets a refusal, not half a file.
      await shelf.read(kept, 0, 1);
      return { file, name: kept.slice(keptNameStart), bytes: piecesOf(shelf, kept, record.size) };
    },
    async send(to, name, bytes, signal) {
      const device = devices.find(to);
      if (device.blocked) throw new PeerAiError('REFUSED', `${device.name} is blocked here`);
      const { files } = await loaded();
      return viewOf(deps, files, await files.send(device.peer, name, bytes, signal));
    },
    async end(text) {
      const { files, record } = await find(text);
      return viewOf(deps, files, await files.end(record.id));
    },
    answerHttp: async (...question) => (await loaded()).files.answerHttp(...question),
    takeChunk: async (message) => (await loaded()).takeChunk(message),
    async start() {
      if (shelf === undefined) return;
      answering = serveMethod(
        network,
        fileMethod,
        async (question, { peer }) => (await loaded()).files.answer(peer, question),
        { clock },
      );
      for await (const _ of room.range('', '\uFFFF', { limit: 1 })) await loaded();
    },
    async stop() {
      answering?.[Symbol.dispose]();
      const opened = await held.settled();
      ending.abort();
      tell.stop();
      await opened?.files.stop();
    },
  };
}

interface Opened {
  readonly files: PeerFiles;
  readonly takeChunk: ChunkIntake;
}

/** `received/` and the figures before the name. */
const keptNameStart = 'received/00000000-'.length;

/** The whole in parts of one piece. Throws NOT_FOUND in the middle where the file was cut by somebody else. */
async function* piecesOf(shelf: Shelf, name: string, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < size; offset += fileLimits.pieceBytes) {
    const count = Math.min(fileLimits.pieceBytes, size - offset);
    const piece = await shelf.read(name, offset, count);
    if (piece.length < count) throw new PeerAiError('NOT_FOUND', 'the rest of this file is not here');
    yield piece;
  }
}

/** Tells of each end at once, and of what moves not more often than people can see. */
function teller({ clock, events }: FilesDeps) {
  const told = new Map<string, number>();
  return {
    changed(file: FileView, isOver: boolean): void {
      const nowMs = clock.elapsedMs();
      const isSoon = nowMs - (told.get(file.id) ?? Number.NEGATIVE_INFINITY) < limits.fileProgressMs;
      if (!isOver && file.state === 'moving' && isSoon) return;
      if (isOver) told.delete(file.id);
      else told.set(file.id, nowMs);
      events.emit({ type: 'file-changed', file });
    },
    stop: () => told.clear(),
  };
}

function viewOf({ nameOf, shelf }: FilesDeps, files: PeerFiles | undefined, record: FileRecord): FileView {
  const { id, direction, peer, name, size, moved, sha256, startedMs } = record;
  const failure = direction === 'out' && record.state === 'moving' ? files?.lastFailure(peer) : undefined;
  const isHere = direction === 'in' && record.state === 'done';
  return {
    id,
    direction,
    peerId: peer,
    peerName: nameOf(peer),
    name,
    bytes: size,
    movedBytes: moved,
    sha256,
    state: failure === undefined ? record.state : 'waiting',
    code: failure ?? record.code ?? null,
    way: record.way ?? null,
    startedMs,
    endedMs: record.endedMs ?? null,
    path: isHere && record.kept !== undefined ? (shelf?.path(record.kept) ?? null) : null,
  };
}

/** A received file among the messages. */
const messageOf = ({ nameOf }: FilesDeps, { id, peer, name, size, sha256, startedMs }: FileRecord) => ({
  id,
  from: peer,
  fromName: nameOf(peer),
  kind: 'file',
  payload: { file: id, name, bytes: size, sha256 },
  sentMs: startedMs,
});
