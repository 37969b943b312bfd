import type { CapsuleDetail, MemoryListView, OwnDevicesView } from '@peerai/peer/control';
import * as schemas from '@peerai/peer/schemas';

const minuteMs = 60_000;
const self = { peerId: '12D3KooWLaptop', name: 'laptop' };
const embedder = { name: 'peerai-lexical-1', kind: 'lexical', setting: 'auto', left: 0 } as const;

export interface MemoryState {
  capsules: CapsuleDetail[];
  /** What the last tidying took away. */
  away: CapsuleDetail[];
  /** Shares to devices that are away. */
  waiting: MemoryListView['waiting'];
}

export const capsuleIds = { roof: 'a1'.repeat(32), shed: 'b2'.repeat(32), soup: 'c3'.repeat(32) } as const;

export function fixtureCapsule(
  patch: Partial<CapsuleDetail> & { readonly text: string },
  nowMs: number,
): CapsuleDetail {
  return {
    v: 1,
    id: capsuleIds.shed,
    author: self.peerId,
    authorName: self.name,
    mine: true,
    level: 'personal',
    tags: ['house'],
    summary: patch.text.slice(0, 200),
    mediaType: 'text/plain',
    bytes: patch.text.length,
    createdMs: nowMs - 5 * minuteMs,
    quality: 0.71,
    novelty: 0.5,
    importance: 0.42,
    relations: [],
    embedder: embedder.name,
    kind: 'lexical',
    keptSinceMs: nowMs - 4 * minuteMs,
    uses: 3,
    ...patch,
  };
}

/** One of one’s own that is kept to oneself, one that may be shared, one of another device. */
export function fixtureMemory(nowMs: number): MemoryState {
  const soup = { id: capsuleIds.soup, author: '12D3KooWStudy', authorName: 'study-pc', mine: false } as const;
  return {
    away: [],
    waiting: [],
    capsules: [
      fixtureCapsule({ text: 'The key of the shed hangs behind the clock.' }, nowMs),
      fixtureCapsule(
        {
          id: capsuleIds.roof,
          level: 'behavioral',
          tags: ['house', 'repairs'],
          text: 'The roof leaks when it rains from the west.\nTwo slates of the north side are loose.',
          relations: [
            { kind: 'follows', capsule: capsuleIds.shed },
            { kind: 'replaces', capsule: 'd4'.repeat(32) },
          ],
        },
        nowMs,
      ),
      fixtureCapsule(
        { ...soup, level: 'public', tags: ['kitchen'], text: `Soup wants salt before pepper: ${'so'.repeat(40)}` },
        nowMs,
      ),
    ],
  };
}

const stateOf = ({ capsules, waiting }: MemoryState) => ({
  count: capsules.length,
  countMax: 100_000,
  bytes: capsules.reduce((sum, { bytes }) => sum + bytes, 0),
  bytesMax: 1_000_000_000,
  ofOtherPeers: capsules.filter(({ mine }) => !mine).length,
  damaged: [],
  waiting,
  embedder,
});

/** At the other device; its end is too long for a list. */
const slate = (): CapsuleDetail =>
  fixtureCapsule(
    {
      id: 'e5'.repeat(32),
      mine: false,
      authorName: 'study-pc',
      level: 'public',
      text: 'A roof of slate lasts long.\nA hundred years is nothing to it.',
    },
    Date.now(),
  );

/** Hits are what has a word of the question; another device has one more. */
function search({ capsules }: MemoryState, body: unknown): unknown {
  const { text, tags, level, everywhere } = schemas.memorySearchSchema.parse(body);
  const words = text.toLowerCase().split(' ');
  const own = capsules
    .filter((one) => words.some((word) => one.text?.toLowerCase().includes(word)))
    .filter((one) => level === undefined || one.level === level)
    .filter((one) => tags.length === 0 || tags.some((tag) => one.tags.includes(tag)))
    .map((capsule) => ({
      capsule,
      score: 0.82,
      similarity: 0.9,
      kind: 'lexical',
      peerId: self.peerId,
      peerName: self.name,
    }));
  const study = { peerId: '12D3KooWStudy', peerName: 'study-pc' };
  const theirs = slate();
  return schemas.memoryFoundSchema.parse({
    v: 1,
    hits: everywhere ? [...own, { capsule: theirs, score: 0.61, similarity: 0.7, kind: 'semantic', ...study }] : own,
    searched: capsules.length,
    leftOut: [],
    leftOutCount: 0,
    embedder,
    ...(everywhere
      ? {
          asked: [
            { peerId: study.peerId, name: study.peerName, hits: 1 },
            { peerId: '12D3KooWNuc', name: 'lab-nuc', hits: 0, problem: 'it is offline' },
          ],
        }
      : {}),
  });
}

/** One that is here and one that is away. */
const ownDevicesAt = (syncedMs: number | null): OwnDevicesView => {
  const nothing = { capsules: 0, forgotten: 0, clusters: 0, conflicts: 0 };
  const away = { ...nothing, peerId: '12D3KooWNuc', name: 'lab-nuc', online: false, syncedMs: null };
  const brought = { capsules: syncedMs === null ? 0 : 3, forgotten: 1, clusters: 1, conflicts: 1 };
  return {
    v: 1,
    devices: [
      { peerId: '12D3KooWStudy', name: 'study-pc', online: true, syncedMs, ...brought },
      { ...away, problem: 'it does not count this device as its own' },
    ],
  };
};

/** The memory of the local API. */
export function answerMemory(
  state: { memory: MemoryState },
  { method, path, query }: { readonly method: string; readonly path: string; readonly query: URLSearchParams },
  body: unknown,
): unknown {
  const { memory } = state;
  const [, , id, verb] = path.split('/');
  const one = memory.capsules.find((capsule) => capsule.id === id);
  switch (`${method} ${one === undefined ? (id ?? '') : ':id'} ${verb ?? ''}`.trim()) {
    case 'GET': {
      const { level, tag, limit, after } = schemas.memoryListQuestionSchema.parse(Object.fromEntries(query));
      const fits = memory.capsules.filter(
        (capsule) =>
          (level === undefined || capsule.level === level) && (tag === undefined || capsule.tags.includes(tag)),
      );
      const start = Number(after ?? 0);
      const next = start + limit < fits.length ? { next: `${start + limit}` } : {};
      return schemas.memoryListSchema.parse({
        v: 1,
        capsules: fits.slice(start, start + limit),
        ...next,
        ...stateOf(memory),
      });
    }
    case 'POST': {
      const { text, tags, level } = schemas.memoryAddSchema.parse(body);
      const made = fixtureCapsule({ id: 'f6'.repeat(32), text, tags, level, uses: 0 }, Date.now());
      memory.capsules = [made, ...memory.capsules];
      return schemas.memoryAddedSchema.parse({ v: 1, capsule: made, embedder });
    }
    case 'POST search':
      return search(memory, body);
    case 'POST consolidate':
      memory.away = memory.capsules.filter((capsule) => capsule.id === capsuleIds.shed);
      memory.capsules = memory.capsules.filter((capsule) => capsule.id !== capsuleIds.shed);
      return schemas.consolidationSchema.parse({
        v: 1,
        expired: 1,
        replaced: 0,
        merged: 0,
        undoUntilMs: Date.now() + 7 * 24 * 60 * minuteMs,
      });
    case 'POST consolidate undo': {
      const { away } = memory;
      memory.capsules = [...away, ...memory.capsules];
      memory.away = [];
      return schemas.consolidationUndoneSchema.parse({ v: 1, restored: away.length });
    }
    case 'GET devices':
      return schemas.ownDevicesSchema.parse(ownDevicesAt(null));
    case 'POST sync':
      return schemas.ownDevicesSchema.parse(ownDevicesAt(Date.now()));
    case 'GET graph':
      return schemas.memoryGraphSchema.parse({
        v: 1,
        capsules: memory.capsules,
        links: [
          { from: capsuleIds.roof, to: capsuleIds.shed, kind: 'follows', strength: 1 },
          { from: capsuleIds.shed, to: capsuleIds.soup, kind: 'near', strength: 0.61 },
        ],
        count: memory.capsules.length,
      });
    case `GET ${slate().id} at`:
      return schemas.capsuleElsewhereSchema.parse({ ...slate(), peerId: '12D3KooWStudy', peerName: 'study-pc' });
    case 'GET :id':
      return schemas.capsuleDetailSchema.parse(one);
    case 'POST :id share': {
      const { to } = schemas.memoryShareSchema.parse(body);
      return schemas.memorySharedSchema.parse({
        v: 1,
        capsule: one,
        peerId: to,
        peerName: 'study-pc',
        outcome: 'taken',
      });
    }
    case 'DELETE :id share':
      memory.waiting = memory.waiting.filter(({ capsuleId }) => capsuleId !== id);
      return null;
    case 'DELETE :id':
      memory.capsules = memory.capsules.filter((capsule) => capsule.id !== id);
      return { v: 1, capsule: one };
    default:
      return undefined;
  }
}
