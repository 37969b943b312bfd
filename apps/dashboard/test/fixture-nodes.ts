import type { LeaseView, LendingView, NodesView } from '@peerai/peer/control';
import * as schemas from '@peerai/peer/schemas';

const study = { peerId: '12D3KooWStudy', peerName: 'study-pc' };
const mira = { peerId: '12D3KooWMira', peerName: 'mira-mac' };

function nodeLease(patch: Partial<LeaseView>, nowMs: number): LeaseView {
  return {
    id: 'e1'.repeat(32),
    role: 'borrower',
    ...study,
    state: 'active',
    nodes: 8,
    minutes: 10,
    priceMicro: '666667',
    paidMicro: '133334',
    lockedMicro: '533333',
    refundedMicro: '0',
    sinceMs: nowMs - 120_000,
    endsMs: nowMs + 480_000,
    endedMs: null,
    runs: 2,
    steps: 128,
    busyMs: 40,
    bytesIn: 2_048,
    bytesOut: 8_192,
    heldMs: 120_000,
    ...patch,
  };
}

export interface NodesState {
  leases: readonly LeaseView[];
  lending: LendingView;
  readonly free: NodesView;
}

/** A lease that runs here, one that runs for another, and one that is over; a lender with time, and one without. */
export function fixtureNodes(nowMs: number): NodesState {
  const over = { state: 'settled', lockedMicro: '0', refundedMicro: '533333', endedMs: nowMs - 3_600_000 } as const;
  const measured = { load: 0.12, processor: 0.31, memory: 0.55, agoMs: 4_000, windowMs: 12_000 };
  const price = { nodeHourMicro: '500000', minutesMax: 60 };
  const study2 = { peerId: study.peerId, name: study.peerName };
  return {
    leases: [
      nodeLease({}, nowMs),
      nodeLease({ id: 'e2'.repeat(32), role: 'lender', ...mira, nodes: 16, sinceMs: nowMs - 60_000 }, nowMs),
      nodeLease({ id: 'e3'.repeat(32), nodes: 4, ...over, sinceMs: nowMs - 7_200_000 }, nowMs),
    ],
    lending: { v: 1, lending: true, nodes: 64, free: 48, each: 32, everywhere: null, ...price, ...measured },
    free: {
      v: 1,
      peers: [
        { ...study2, nodes: 64, free: 24, ...price, ...measured, isFree: true, why: [] },
        {
          peerId: '12D3KooWAttic',
          name: 'attic-nas',
          nodes: 32,
          free: 0,
          ...price,
          ...measured,
          load: 0.9,
          isFree: false,
          why: ['no node is free', 'it works already'],
        },
      ],
      unanswered: [{ peerId: mira.peerId, name: mira.peerName, code: 'TIMEOUT', message: 'no answer in time' }],
    },
  };
}

/** Nodes lent and borrowed, of the local API. */
export function answerNodes(
  { nodes }: { readonly nodes: NodesState },
  { method, path }: { readonly method: string; readonly path: string },
  body: unknown,
): unknown {
  const change = (id: string, patch: Partial<LeaseView>): LeaseView | undefined => {
    nodes.leases = nodes.leases.map((one) => (one.id === id ? { ...one, ...patch } : one));
    return nodes.leases.find((one) => one.id === id);
  };
  const [, room, id = '', verb] = path.split('/');
  if (room === 'nodes' && id === '') return schemas.nodesSchema.parse(nodes.free);
  if (room === 'nodes') {
    if (method === 'DELETE') nodes.lending = { ...nodes.lending, lending: false, nodes: 0, free: 0, each: 0 };
    if (method === 'POST') {
      const { nodes: all } = schemas.lendRequestSchema.parse(body);
      nodes.lending = { ...nodes.lending, lending: true, nodes: all, free: all, each: Math.ceil(all / 2) };
    }
    return schemas.lendingSchema.parse(nodes.lending);
  }
  const free = { lockedMicro: '0', refundedMicro: '533333', endedMs: Date.now() };
  if (verb === 'end')
    return schemas.leaseDetailSchema.parse({ v: 1, lease: change(id, { state: 'settled', ...free }) });
  if (verb === 'dispute') {
    const { reason } = schemas.disputeRequestSchema.parse(body);
    const lease = change(id, { state: 'disputed', ...free });
    return schemas.nodeDisputeSchema.parse({ v: 1, lease, evidence: JSON.stringify({ reason }) });
  }
  if (method === 'GET') {
    const accounts = [
      { paidMicro: '266668', earnedMicro: '0', lockedByUsMicro: '533333', lockedByThemMicro: '0', ...study },
    ];
    return schemas.leasesSchema.parse({ v: 1, leases: nodes.leases, accounts });
  }
  const { cluster, vectors } = schemas.borrowRequestSchema.parse(body);
  const size = 'nodes' in cluster ? cluster.nodes : 0;
  const done = { state: 'settled', ...free, nodes: size, steps: vectors.length } as const;
  const lease = nodeLease({ id: 'e4'.repeat(32), ...done, sinceMs: Date.now() }, Date.now());
  nodes.leases = [lease, ...nodes.leases];
  const outputs = vectors.map(() => Array.from({ length: size }, (_, node) => (node === 0 ? 1 : 0)));
  const counts = { vectors: vectors.length, asked: vectors.length, nodes: size };
  return schemas.leaseDetailSchema.parse({ v: 1, lease, result: { ...counts, outputs, state: 'AA-_' } });
}
