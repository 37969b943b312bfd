import type { DocumentContents, GroupView } from '@peerai/peer/control';
import * as schemas from '@peerai/peer/schemas';
import type { FixtureState } from './fixture-data.ts';

const minuteMs = 60_000;
const members = {
  laptop: { peerId: '12D3KooWLaptop', name: 'laptop' },
  study: { peerId: '12D3KooWStudy', name: 'study-pc' },
  nas: { peerId: '12D3KooWNas', name: 'attic-nas' },
  mira: { peerId: '12D3KooWMira', name: 'mira-mac' },
} as const;
const kitchen = 'aa01'.repeat(8);

function fixtureGroup(patch: Partial<GroupView>): GroupView {
  const own = { committer: members.laptop.peerId, mine: true, epoch: 3 };
  return {
    id: kitchen,
    name: 'Kitchen table',
    members: [members.laptop, members.study, members.nas],
    ...own,
    ...patch,
  };
}

function fixtureDocument(patch: Partial<DocumentContents['document']>, text = ''): DocumentContents {
  const values = { title: 'Budget round', rounds: 3, attendees: ['Ann', 'Ben'], open: true };
  return {
    v: 1,
    document: {
      id: 'bb01'.repeat(8),
      name: 'Minutes',
      founder: members.laptop.peerId,
      founderName: members.laptop.name,
      mine: true,
      group: null,
      members: [members.laptop, members.study, members.nas],
      keys: Object.keys(values).length,
      textChars: text.length,
      bytes: 1_280,
      ...patch,
    },
    values,
    text,
  };
}

export function fixtureRooms(
  nowMs: number,
): Pick<FixtureState, 'groups' | 'groupMessages' | 'groupSent' | 'documents'> {
  const group = { group: kitchen, groupName: 'Kitchen table', kind: 'text' };
  const lab = { id: 'aa02'.repeat(8), name: 'Lab', committer: members.mira.peerId, mine: false };
  return {
    groups: [fixtureGroup({}), fixtureGroup({ ...lab, members: [members.mira, members.laptop] })],
    groupMessages: [
      {
        ...group,
        id: 'gm2',
        from: '12D3KooWStudy',
        fromName: 'study-pc',
        payload: 'I have them.',
        sentMs: nowMs - 4 * minuteMs,
      },
    ],
    groupSent: [
      {
        id: 'gm1',
        group: kitchen,
        kind: 'text',
        payload: 'Who has the notes of Monday?',
        sentMs: nowMs - 5 * minuteMs,
        members: [
          { ...members.study, state: 'delivered' },
          { ...members.nas, state: 'queued' },
        ],
      },
    ],
    documents: [
      fixtureDocument({}, 'We met at nine.'),
      fixtureDocument({ id: 'bb02'.repeat(8), name: 'Shopping', group: kitchen }),
      fixtureDocument({
        id: 'bb03'.repeat(8),
        name: 'Protocol of the lab',
        mine: false,
        founder: members.mira.peerId,
        founderName: members.mira.name,
      }),
    ],
  };
}

/** `/groups/ID/VERB/ONE`, or `/state/…`. */
interface Path {
  readonly method: string;
  readonly id: string | undefined;
  readonly verb: string | undefined;
  readonly one: string | undefined;
}

const memberOf = (state: FixtureState, peerId: string): GroupView['members'][number] => ({
  peerId,
  name: state.peers.find((peer) => peer.peerId === peerId)?.name ?? peerId,
});

/** The groups of the local API. */
export function answerGroups(state: FixtureState, path: Path, body: unknown): unknown {
  if (path.id === undefined) {
    if (path.method === 'GET') return schemas.groupsSchema.parse({ v: 1, groups: state.groups });
    const { name } = schemas.groupRequestSchema.parse(body);
    const me = { peerId: state.node.peerId, name: state.node.name };
    const made = fixtureGroup({ id: 'aa09'.repeat(8), name, members: [me], epoch: 0 });
    state.groups = [...state.groups, made];
    return schemas.groupSchema.parse(made);
  }
  const group = state.groups.find(({ id }) => id === path.id);
  if (group === undefined) return undefined;
  switch (`${path.method} ${path.verb}`) {
    case 'GET messages': {
      const messages = state.groupMessages.filter((message) => message.group === group.id);
      return schemas.groupMessagesSchema.parse({ v: 1, messages });
    }
    case 'GET sent': {
      const messages = state.groupSent.filter((message) => message.group === group.id);
      return schemas.groupSentsSchema.parse({ v: 1, messages });
    }
    case 'POST messages':
      return sendTo(state, group, body);
    case 'POST members': {
      const { peers } = schemas.groupMembersSchema.parse(body);
      const added = peers.map((peer) => memberOf(state, peer));
      return changeGroup(state, { ...group, members: [...group.members, ...added] });
    }
    case 'DELETE members':
      return changeGroup(state, { ...group, members: group.members.filter(({ peerId }) => peerId !== path.one) });
    case 'POST renew':
      return changeGroup(state, group);
    default:
      state.groups = state.groups.filter(({ id }) => id !== group.id);
      return {};
  }
}

function changeGroup(state: FixtureState, changed: GroupView): unknown {
  const group = { ...changed, epoch: changed.epoch + 1 };
  state.groups = state.groups.map((other) => (other.id === group.id ? group : other));
  return schemas.groupSchema.parse(group);
}

function sendTo(state: FixtureState, group: GroupView, body: unknown): unknown {
  const { kind, payload } = schemas.groupSendSchema.parse(body);
  const members = group.members
    .filter(({ peerId }) => peerId !== state.node.peerId)
    .map((member) => ({ ...member, state: 'delivered' as const }));
  const sent = { id: `gm${state.groupSent.length + 9}`, group: group.id, kind, payload, sentMs: Date.now(), members };
  state.groupSent = [sent, ...state.groupSent];
  return schemas.groupDeliverySchema.parse({ v: 1, id: sent.id, group: group.id, members });
}

/** The documents of the local API. */
export function answerDocuments(state: FixtureState, path: Path, body: unknown): unknown {
  if (path.id === undefined) {
    if (path.method === 'GET')
      return schemas.documentsSchema.parse({ v: 1, documents: state.documents.map(({ document }) => document) });
    const { name, group } = schemas.documentRequestSchema.parse(body);
    const made = fixtureDocument({ id: 'bb09'.repeat(8), name, group: group ?? null, keys: 0 });
    state.documents = [...state.documents, { ...made, values: {} }];
    return schemas.documentSchema.parse(made.document);
  }
  const found = state.documents.find(({ document }) => document.id === path.id);
  if (found === undefined) return undefined;
  const { document } = found;
  const put = (changed: typeof found): typeof found => {
    state.documents = state.documents.map((other) => (other === found ? changed : other));
    return changed;
  };
  switch (`${path.method} ${path.verb}`) {
    case 'GET undefined':
      return schemas.documentContentsSchema.parse(found);
    case 'PATCH undefined': {
      const { set, remove, text = found.text } = schemas.documentChangeSchema.parse(body);
      const rest = Object.entries({ ...found.values, ...set }).filter(([key]) => !remove.includes(key));
      const counted = { ...document, keys: rest.length, textChars: text.length };
      return schemas.documentContentsSchema.parse(
        put({ v: 1, document: counted, values: Object.fromEntries(rest), text }),
      );
    }
    case 'POST members': {
      const { peers } = schemas.documentMembersSchema.parse(body);
      const members = [...document.members, ...peers.map((peer) => memberOf(state, peer))];
      return schemas.documentSchema.parse(put({ ...found, document: { ...document, members } }).document);
    }
    case 'DELETE members': {
      const members = document.members.filter(({ peerId }) => peerId !== path.one);
      return schemas.documentSchema.parse(put({ ...found, document: { ...document, members } }).document);
    }
    default:
      state.documents = state.documents.filter((other) => other !== found);
      return {};
  }
}
