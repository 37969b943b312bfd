import { type PeerId, serveMethod } from '@peerai/core-protocol';
import {
  type ManualClock,
  MemoryShelf,
  type MemoryStore,
  memoryWorld,
  seededRandom,
} from '@peerai/core-protocol/testing';
import type { FileRecord } from '../src/files/book.ts';
import { type FileHttp, openPeerFiles, type PeerFiles } from '../src/files/index.ts';
import { fileLimits } from '../src/files/limits.ts';
import { type FileAnswer, fileMethod, type FileQuestion } from '../src/files/protocol.ts';

/** Two peers with files, for tests: what goes between them can be meddled with. */
export const live = new AbortController().signal;
export const piece = fileLimits.pieceBytes;
export const content = seededRandom(5).bytes(3 * piece + 17);
export async function* inParts(bytes: Uint8Array, partBytes = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += partBytes) yield bytes.subarray(at, at + partBytes);
}

export interface Side {
  readonly world: ReturnType<typeof memoryWorld>;
  readonly shelf: MemoryShelf;
  readonly files: PeerFiles;
  /** Records told of as received: committed with the note. */
  readonly told: string[];
  readonly questions: FileQuestion[];
  /** What stands between a question and its answer. */
  meddle?: (question: FileQuestion, answer: () => Promise<FileAnswer>) => Promise<FileAnswer>;
  readonly ending: AbortController;
}
type Left = Partial<Pick<Side, 'shelf'>> & { readonly store?: MemoryStore; readonly http?: FileHttp };

export async function open(seed: number, beside?: Side, left: Left = {}): Promise<Side> {
  const shared = beside === undefined ? {} : { clock: beside.world.clock, networks: beside.world.networks };
  const world = memoryWorld({ seed, isGranted: () => true, ...shared, ...(left.store && { store: left.store }) });
  const shelf = left.shelf ?? new MemoryShelf();
  const room = world.store.room('told');
  const told: string[] = [];
  const files = await openPeerFiles({
    ...world,
    shelf,
    store: world.store.room('files'),
    ...(left.http && { http: left.http }),
    received: async (record) => [room.put(record.id, new Uint8Array())],
    changed: (record) => void (record.direction === 'in' && record.state === 'done' && told.push(record.id)),
  });
  const ending = new AbortController();
  const side: Side = { world, shelf, files, told, questions: [], ending };
  serveMethod(world.network, fileMethod, (question, { peer }) => {
    side.questions.push(question);
    const answer = () => files.answer(peer, question);
    return side.meddle === undefined ? answer() : side.meddle(question, answer);
  });
  await files.start(ending.signal);
  return side;
}
/** As kill -9: what was committed and written is all that is left. */
export async function restart(side: Side, seed: number, beside: Side): Promise<Side> {
  side.world.networks.kill(side.world.identity.peer);
  side.ending.abort();
  return open(seed, beside, { store: side.world.store.reopen(), shelf: side.shelf });
}
export const peerOf = ({ world }: Side): PeerId => world.identity.peer;
export const recordOf = ({ files }: Side, direction: 'in' | 'out'): FileRecord => {
  const found = files.all().filter((one) => one.direction === direction);
  const [record] = found;
  if (record === undefined || found.length > 1) throw new Error(`${found.length} files, not one`);
  return record;
};
export const send = (from: Side, to: Side, bytes = content, name = 'a file.bin') =>
  from.files.send(peerOf(to), name, inParts(bytes), live);
export async function until(clock: ManualClock, look: () => boolean): Promise<void> {
  for (let step = 0; !look() && step < 400; step += 1) await clock.advance(500);
  if (!look()) throw new Error('it did not come to that');
}
export const isOver = (side: Side) => () => side.files.all().every(({ state }) => state !== 'moving');
export const keptBytes = (side: Side): Uint8Array | undefined => side.shelf.files.get(recordOf(side, 'in').kept ?? '');

export const stored = async (rows: readonly Partial<FileRecord>[]): Promise<Side> => {
  const first = await open(2);
  const room = first.world.store.room('files');
  await room.commit(
    rows.map((row, place) => {
      const id = String(place).padStart(32, '0');
      const base = {
        id,
        transfer: id,
        direction: 'in',
        peer: 'other',
        name: 'x',
        state: 'done',
        startedMs: first.world.clock.nowMs(),
        sha256: '',
      };
      const record = { ...base, touchedMs: first.world.clock.nowMs(), moved: 0, endedMs: 0, held: '', ...row };
      return room.put(`file/${id}`, new TextEncoder().encode(JSON.stringify(record)));
    }),
  );
  return restart(first, 2, first);
};
export const many = (count: number, size: number, peer: string) =>
  Array.from({ length: count }, () => ({ peer: peer as PeerId, size }));
