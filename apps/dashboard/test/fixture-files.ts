import type { FilesView, FileView } from '@peerai/peer/control';
import * as schemas from '@peerai/peer/schemas';

const minuteMs = 60_000;

export function fixtureFile(patch: Partial<FileView>, nowMs: number): FileView {
  return {
    id: 'f1'.repeat(16),
    direction: 'in',
    peerId: '12D3KooWStudy',
    peerName: 'study-pc',
    name: 'holiday photos from the lake.zip',
    bytes: 31_400_000,
    movedBytes: 31_400_000,
    sha256: '9c1185a5c5e9fc54612808977ee8f548b2258d31'.padEnd(64, '0'),
    state: 'done',
    code: null,
    way: 'link',
    startedMs: nowMs - 5 * minuteMs,
    endedMs: nowMs - 4 * minuteMs,
    path: '/home/me/.local/share/peerai/files/received/f1f1f1f1-holiday photos from the lake.zip',
    ...patch,
  };
}

export function fixtureFiles(nowMs: number): FileView[] {
  const out = { direction: 'out', path: null } as const;
  const open = { ...out, endedMs: null } as const;
  return [
    fixtureFile({ ...open, id: 'f2'.repeat(16), name: 'minutes.pdf', state: 'moving', movedBytes: 12_000_000 }, nowMs),
    fixtureFile(
      {
        ...open,
        id: 'f3'.repeat(16),
        name: 'plan.txt',
        peerName: 'attic-nas',
        state: 'waiting',
        movedBytes: 0,
        code: 'PEER_UNREACHABLE',
      },
      nowMs,
    ),
    fixtureFile({}, nowMs),
    fixtureFile(
      { ...out, id: 'f4'.repeat(16), name: 'big.iso', state: 'refused', movedBytes: 0, code: 'LIMIT_REACHED' },
      nowMs,
    ),
  ];
}

/** The files of the local API; `sent` is the body of an upload. */
export function answerFiles(
  state: { files: FileView[] },
  { method, id, query }: { readonly method: string; readonly id: string | undefined; readonly query: URLSearchParams },
  sent: Uint8Array,
): unknown {
  if (method === 'GET') {
    const room = { bytes: 31_400_000, bytesMax: 2_147_483_648, files: 1, filesMax: 1_000 };
    const view: FilesView = {
      v: 1,
      files: state.files,
      room: { ...room, fileBytesMax: 52_428_800, peerBytesMax: 524_288_000 },
    };
    return schemas.filesSchema.parse(view);
  }
  const answer = (file: FileView): unknown => {
    state.files = [file, ...state.files.filter((other) => other.id !== file.id)];
    return schemas.fileAnswerSchema.parse({ v: 1, file });
  };
  if (method === 'POST') {
    const made = { id: 'f9'.repeat(16), direction: 'out', path: null, state: 'moving', movedBytes: 0 } as const;
    const named = { name: query.get('name') ?? '', bytes: sent.length, endedMs: null, startedMs: Date.now() };
    return answer(fixtureFile({ ...made, ...named }, Date.now()));
  }
  const file = state.files.find((one) => one.id === id);
  if (file === undefined) return undefined;
  const ended = file.direction === 'in' ? ('removed' as const) : ('cancelled' as const);
  return answer({ ...file, state: ended, endedMs: Date.now(), path: null });
}
