import type { ImportedModelView, SplitsView } from '@peerai/peer/control';
import * as schemas from '@peerai/peer/schemas';
import type { FixtureState } from './fixture-data.ts';

const minuteMs = 60_000;
const value = (name: string, type: 'int64' | 'float32') => ({ name, type, shape: ['batch', 'sequence'] });

const importedModel = (name: string, bytes: number, importedMs: number): ImportedModelView => ({
  name,
  sha256: '5e'.repeat(32),
  bytes,
  importedMs,
  producer: 'pytorch',
  nodes: 412,
  operators: ['Add', 'MatMul'],
  inputs: [value('input_ids', 'int64'), value('attention_mask', 'int64')],
  outputs: [value('logits', 'float32')],
  texts: 'language',
  loaded: false,
});

export function fixtureImported(nowMs: number): ImportedModelView[] {
  const { texts: _, ...wordless } = importedModel('house-prices', 4_096, nowMs - 60 * minuteMs);
  return [
    { ...wordless, inputs: [value('x', 'float32')], outputs: [value('y', 'float32')] },
    importedModel('tiny-story', 88_000_000, nowMs - 5 * minuteMs),
  ];
}

export function fixtureSplit(nowMs: number): SplitsView['splits'][number] {
  const laptop = { peerId: '12D3KooWLaptop', name: 'laptop', self: true };
  const study = { peerId: '12D3KooWStudy', name: 'study-pc', self: false };
  const nuc = { peerId: '12D3KooWNuc', name: 'lab-nuc', self: false };
  const stage = (index: number, from: number, to: number) => ({
    index,
    from,
    to,
    parameters: 700_000,
    sha256: `${index}`.repeat(64),
  });
  return {
    name: 'nano:split',
    model: 'nano',
    activations: 'int8',
    createdMs: nowMs - minuteMs,
    state: 'open',
    answers: 3,
    stages: [
      { ...stage(0, 0, 2), holder: study, places: [study, laptop], lost: null },
      { ...stage(1, 2, 3), holder: laptop, places: [nuc, laptop], lost: { ...nuc, code: 'CHANNEL_CLOSED' } },
    ],
  };
}

const fixtureOffered = {
  v: 1,
  models: [
    {
      peerId: '12D3KooWStudy',
      peerName: 'study-pc',
      name: 'roof-angles',
      bytes: 48_000,
      inputs: [value('x', 'float32')],
      outputs: [value('y', 'float32')],
    },
  ],
};

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Files that are brought, and splits that are made; undefined for what is no such thing. */
export function answerOwnModels(state: FixtureState, asked: Asked, body: unknown, sent: Buffer): unknown {
  const [, , room, id, verb] = asked.path.split('/').map(decodeURIComponent);
  if (room === 'offered') return schemas.offeredRunsSchema.parse(fixtureOffered);
  return room === 'splits'
    ? answerSplits(state, asked.method, id, body)
    : answerImported(state, { method: asked.method, name: id ?? asked.query.get('name') ?? '', verb }, sent);
}

function answerImported(
  state: FixtureState,
  { method, name, verb }: { readonly method: string; readonly name: string; readonly verb: string | undefined },
  sent: Buffer,
): unknown {
  if (method === 'GET') return schemas.importedModelsSchema.parse({ v: 1, models: state.imported });
  if (method === 'DELETE') {
    state.imported = state.imported.filter((model) => model.name !== name);
    return {};
  }
  if (verb === undefined) {
    const model = importedModel(name, sent.length, Date.now());
    state.imported = [...state.imported, model];
    return schemas.importedModelSchema.parse(model);
  }
  state.tokenizer = JSON.parse(sent.toString());
  const old = state.imported.find((model) => model.name === name);
  if (old === undefined) return undefined;
  const model = { ...old, language: { tokenizer: '7a'.repeat(32), contextTokens: 2_048, hasTemplate: true } };
  state.imported = state.imported.map((other) => (other === old ? model : other));
  return schemas.importedModelSchema.parse(model);
}

function answerSplits(state: FixtureState, method: string, name: string | undefined, body: unknown): unknown {
  const { splits } = state.splits;
  if (method === 'DELETE') {
    state.splits = { v: 1, splits: splits.filter((split) => split.name !== name) };
    return {};
  }
  if (method === 'GET') return schemas.splitsSchema.parse(state.splits);
  const wish = schemas.splitRequestSchema.parse(body);
  const member = (device: string) => {
    const peer = state.peers.find(({ peerId }) => peerId === device);
    return peer === undefined
      ? { peerId: state.node.peerId, name: state.node.name, self: true }
      : { peerId: peer.peerId, name: peer.name, self: false };
  };
  const made = schemas.splitSchema.parse({
    name: wish.name ?? `${wish.model}:split`,
    model: wish.model,
    activations: wish.activations,
    createdMs: Date.now(),
    state: 'open',
    answers: 0,
    stages: wish.over.map((device, index) => ({
      index,
      from: index,
      to: index + 1,
      parameters: 700_000,
      sha256: `${index}`.repeat(64),
      holder: member(device),
      places: [device, ...wish.spares].map(member),
      lost: null,
    })),
  });
  state.splits = { v: 1, splits: [...splits, made] };
  return made;
}
