import { type Opened, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { createBook, type Document, sizeOf } from './book.ts';
import { type Carrier, createCarrier } from './carrier.ts';
import { type Charter, signCharter } from './charter.ts';
import { type DocumentsDeps, readValue, takeEntries, writeDocument } from './documents.ts';
import { admit, answerExchange, type ExchangeDeps } from './exchange.ts';
import { limits } from './limits.ts';
import { type exchangeMethod, readLetter } from './protocol.ts';
import type { Changed, Parts } from './replica.ts';
import type { DocumentView, StatesDeps } from './states.ts';

export type Said = ReturnType<typeof exchangeMethod.request.decode>;

/** Everything that needs Yjs; loaded when there is a document, or somebody asks for one. */
export interface Engine {
  create(
    name: string,
    shared: { readonly members?: readonly PeerId[]; readonly group?: string },
  ): Promise<DocumentView>;
  members(id: string, change: (members: readonly PeerId[]) => readonly PeerId[]): Promise<DocumentView>;
  forget(id: string): Promise<void>;
  list(): Promise<readonly DocumentView[]>;
  values(id: string): Promise<Readonly<Record<string, unknown>>>;
  text(id: string): Promise<string>;
  set(id: string, key: string, value: unknown): Promise<boolean>;
  remove(id: string, key: string): Promise<boolean>;
  write(id: string, text: string): Promise<boolean>;
  takeLetter(message: Opened): Promise<void>;
  answer(peer: PeerId, asked: Said): Promise<Said>;
  /** The peer's link came up, or its last one is gone. */
  linked(peer: PeerId, isUp: boolean): Promise<void>;
  offer(): Promise<void>;
  start(signal: AbortSignal): Promise<void>;
  idle(): Promise<void>;
}

export function openEngine(deps: StatesDeps): Engine {
  const { identity, random, crypto } = deps;
  const book = createBook(deps);
  const membersOf = async ({ group, founder, members }: Charter): Promise<readonly PeerId[]> =>
    group === undefined ? [founder, ...members] : ((await deps.groupMembers?.(group)) ?? []);
  const changed = (id: string, what: Changed): void => deps.changed?.(id, what);
  const parts: ExchangeDeps & DocumentsDeps = {
    ...deps,
    book,
    membersOf,
    changed: (id, what) => {
      changed(id, what);
      // What one member brought goes on to the others, who may never meet it.
      void spread(id);
    },
    told: (id) => changed(id, { keys: [], text: false }),
  };
  const carrier: Carrier = createCarrier({ ...parts, messenger: deps.messenger });
  const others = async (charter: Charter): Promise<readonly PeerId[]> => {
    const members = await membersOf(charter);
    if (!members.includes(identity.peer)) return [];
    return members.filter((peer) => peer !== identity.peer && deps.mayShare(peer));
  };
  const spread = async (id: string): Promise<void> => {
    try {
      const document = await book.inTurn(id, () => book.find(id));
      if (document !== undefined) for (const peer of await others(document.charter)) carrier.wake(peer, id);
    } catch (error) {
      deps.logger.warn('state-not-carried', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
    }
  };
  const view = async ({ charter, replica, ...rest }: Document): Promise<DocumentView> => ({
    id: charter.id,
    name: charter.name,
    founder: charter.founder,
    group: charter.group,
    members: await membersOf(charter),
    keys: replica.entries().length,
    textChars: replica.text().length,
    bytes: sizeOf({ charter, replica, ...rest }),
  });
  const viewed = (id: string): Promise<DocumentView> => book.inTurn(id, async () => view(await book.open(id)));
  const write = (id: string, change: (made: Parts) => void, removes = false): Promise<boolean> =>
    book.inTurn(id, () => writeDocument(parts, id, change, removes));
  return {
    create: (name, { members = [], group }) =>
      book.inTurn('create', async () => {
        const all = await book.charters();
        const mine = all.filter(({ founder }) => founder === identity.peer).length;
        if (all.length >= limits.documentsMax || mine >= limits.documentsPerFounderMax) {
          throw new PeerAiError('LIMIT_REACHED', `a peer founds at most ${limits.documentsPerFounderMax} documents`);
        }
        const charter = signCharter(crypto, identity, { name, salt: random.bytes(16), version: 0, members, group });
        await book.charter(charter);
        parts.told(charter.id);
        void spread(charter.id);
        return viewed(charter.id);
      }),
    members: (id, change) =>
      book.inTurn(id, async () => {
        const { charter } = await book.open(id);
        const { name, salt, version, founder, group } = charter;
        if (founder !== identity.peer) throw new PeerAiError('REFUSED', 'only its founder says who shares a document');
        if (group !== undefined)
          throw new PeerAiError('REFUSED', 'this document is shared by the members of its group');
        const members = change(charter.members);
        const next = signCharter(crypto, identity, { name, salt, version: version + 1, members, group });
        await book.charter(next);
        parts.told(id);
        for (const peer of new Set([...charter.members, ...members])) carrier.wake(peer, id);
        return view(await book.open(id));
      }),
    forget: (id) =>
      book.inTurn(id, async () => {
        await book.open(id);
        await book.forget(id);
        parts.told(id);
      }),
    list: async () => {
      const views: DocumentView[] = [];
      for (const { id } of await book.charters()) views.push(await viewed(id));
      return views;
    },
    values: async (id) => {
      const { replica } = await book.inTurn(id, () => book.open(id));
      const entries = replica.entries();
      return Object.fromEntries(entries.map(([key, json]) => [key, JSON.parse(json) as unknown]));
    },
    text: async (id) => (await book.inTurn(id, () => book.open(id))).replica.text(),
    set: async (id, key, value) => {
      const json = readValue(key, value);
      return write(id, (made) => made.set(key, json));
    },
    remove: (id, key) => write(id, (made) => made.remove(key), true),
    write: async (id, text) => {
      if (!text.isWellFormed()) throw new PeerAiError('INVALID_FORMAT', 'the text is not Unicode');
      return write(id, (made) => made.retext(text));
    },
    takeLetter: async ({ sender, payload }) => {
      const { charter, entries } = readLetter(payload);
      const { id } = await admit(parts, sender, charter);
      try {
        await book.inTurn(id, () => takeEntries(parts, id, entries));
      } catch (cause) {
        // To a messenger this is a failure that passes; a meeting brings it again when there is room.
        if (!PeerAiError.is(cause, 'LIMIT_REACHED', 'LIMIT_EXCEEDED', 'INVALID_SIGNATURE')) throw cause;
        throw new PeerAiError('REFUSED', 'the letter about a document is not taken', {}, { cause });
      }
    },
    answer: (peer, asked) => answerExchange(parts, peer, asked),
    linked: async (peer, isUp) => {
      const ids: string[] = [];
      if (isUp)
        for (const charter of await book.charters()) if ((await others(charter)).includes(peer)) ids.push(charter.id);
      carrier.linked(peer, isUp, ids);
    },
    offer: async () => {
      for (const { id } of await book.charters()) await spread(id);
    },
    start: async (signal) => {
      for (const { id } of await book.charters()) await book.inTurn(id, () => book.find(id));
      carrier.start(signal);
    },
    idle: async () => {
      await carrier.idle();
      await book.idle();
    },
  };
}
