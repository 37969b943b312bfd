import {
  type Clock,
  fromHex,
  type LanguageModel,
  type Logger,
  type ModelCard,
  type Network,
  PeerAiError,
  type PeerId,
  type Store,
} from '@peerai/core-protocol';
import { type CatalogueEntry, findModel, listRemoteModels, sameModelName } from '@peerai/llm-bridge';
import type { EventHub } from '../events/hub.ts';
import { limits } from '../limits.ts';
import type { LinkBook } from '../links/link-book.ts';
import type { Device, Devices } from '../pairing/devices.ts';
import { records } from '../store/records.ts';
import { type AskingDeps, askedModel } from './asking.ts';
import type { LocalModels } from './local-models.ts';
import type { ModelsView, ModelView } from './models.schema.ts';
import type { RemoteModels } from './remote-models.ts';

export interface ModelsDeps extends AskingDeps {
  readonly self: PeerId;
  readonly name: () => string;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly local: LocalModels;
  readonly remote: RemoteModels;
  readonly devices: Devices;
  readonly links: LinkBook;
  readonly events: EventHub;
  /** Who answered gave a receipt that cannot be signed. */
  readonly receiptWrong: (peer: PeerId, error: unknown) => void;
  /** Names, or `*` for all: what is offered to paired devices unless changed later. */
  readonly expose: readonly string[];
  /** A model file that was brought here, and may take no words. */
  readonly isImported: (name: string) => Promise<boolean>;
  readonly defaultModel: string | undefined;
}

/** One way to ask a model: ours or a device's. */
export interface Candidate {
  readonly card: ModelCard;
  readonly peer: PeerId;
  readonly peerName: string;
  readonly local: boolean;
  /** Of this peer, and computed on its machine. */
  readonly here: boolean;
  readonly path: ModelView['path'];
  readonly roundTripMs: number;
  readonly model: LanguageModel;
  /** As it is when asked, not when the list was made. */
  readonly currentPath: () => 'local' | 'direct' | 'relayed';
}

/** What can be asked, here and on paired devices, and who may ask ours. */
export interface Models {
  list(): Promise<ModelsView>;
  /** The same for the gateway. */
  entries(): Promise<readonly CatalogueEntry[]>;
  /** Throws MODEL_UNKNOWN. */
  expose(name: string, exposed: boolean): Promise<void>;
  isExposed(name: string): boolean;
  /** The same where `*` means nothing: the owner said this name. */
  isNamed(name: string): boolean;
  /** Cards a paired device may see. */
  exposedCards(): readonly ModelCard[];
  /** Everybody who could answer `model` or `model@peer`; ours first. Throws MODEL_UNKNOWN and DEVICE_UNKNOWN, which name what there is, NO_MODELS. */
  candidates(name: string, signal: AbortSignal): Promise<readonly Candidate[]>;
  /** The name used where none is given. */
  defaultName(): string;
  /** Asks our own engines for their models now. */
  refresh(signal: AbortSignal): Promise<void>;
  /** Asks a device for its models again. */
  learn(peer: PeerId, signal: AbortSignal): Promise<void>;
}

interface Exposure {
  readonly exposed: boolean;
}

export async function openModels(deps: ModelsDeps): Promise<Models> {
  const room = deps.store.room('models');
  const rows = records<Exposure>(room, 'exposed');
  const chosen = new Map<string, boolean>();
  for await (const [name, { exposed }] of rows.all()) chosen.set(name, exposed);
  const isExposed = (name: string): boolean =>
    chosen.get(name) ??
    deps.expose.some((one) => (one === '*' ? !isNamedOnly(deps.local, name) : sameModelName(one, name)));

  const isNamed = (name: string): boolean =>
    chosen.get(name) ?? deps.expose.some((one) => one !== '*' && sameModelName(one, name));

  const ownCandidates = (): Candidate[] => deps.local.list().map((model) => localCandidate(deps, model));
  const remoteCandidates = (): Candidate[] =>
    deps.devices
      .list()
      .filter(({ blocked }) => !blocked)
      .flatMap((device) => deps.remote.of(device.peer).map((card) => remoteCandidate(deps, device, card)));
  const all = (): Candidate[] => [...ownCandidates(), ...remoteCandidates()];
  const defaultName = (): string => {
    const answering = deps.local.list().filter(({ card }) => !isOfTheOwner(card));
    const own = answering.map(({ card }) => card.name);
    const wished = deps.defaultModel;
    if (wished !== undefined) return wished;
    return own.find((name) => name !== 'nano') ?? own[0] ?? remoteCandidates()[0]?.card.name ?? 'nano';
  };
  const learn = async (peer: PeerId, signal: AbortSignal): Promise<void> => {
    try {
      const cards = await listRemoteModels(deps, peer, { signal });
      deps.remote.set(peer, cards, deps.clock.nowMs());
      deps.events.emit({ type: 'models-changed' });
    } catch (error) {
      deps.logger.debug('models-not-learned', { peer, code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
    }
  };
  /** What a device offers; one that is here is asked again before it is said that it has no such model, for it may offer it since. */
  const offeredBy = async (model: string, who: string, signal: AbortSignal): Promise<readonly Candidate[]> => {
    const known = pinned(deps, all(), model, who);
    if (known.length > 0 || isSelf(deps, who)) return known;
    const { peer } = deps.devices.find(who);
    if (deps.links.get(peer) === undefined) return known;
    await learn(peer, signal);
    return pinned(deps, all(), model, who);
  };
  return {
    isExposed,
    isNamed,
    defaultName,
    exposedCards: () =>
      deps.local
        .list()
        .map(({ card }) => card)
        .filter(({ name }) => isExposed(name)),
    async list() {
      return {
        v: 1,
        models: all().map((candidate) => view(candidate, isExposed(candidate.card.name))),
        defaultModel: defaultName(),
      };
    },
    async entries() {
      return all().map(({ card, peer, peerName, local }) => ({
        name: gatewayName(card, peerName, local),
        card,
        peer,
        owner: peerName,
        local,
      }));
    },
    async expose(name, exposed) {
      const model = findModel(deps.local.list(), name)?.card.name ?? ((await deps.isImported(name)) ? name : undefined);
      if (model === undefined) throw unknown(name, ownCandidates());
      await room.commit([rows.put(model, { exposed })]);
      chosen.set(model, exposed);
      deps.events.emit({ type: 'models-changed' });
    },
    async candidates(name, signal) {
      const wanted = name === '' ? defaultName() : name;
      const at = wanted.lastIndexOf('@');
      const found =
        at > 0
          ? await offeredBy(wanted.slice(0, at), wanted.slice(at + 1), signal)
          : all().filter(({ card }) => sameModelName(card.name, wanted));
      if (found.length > 0) return found;
      const own =
        at > 0 && !isSelf(deps, wanted.slice(at + 1))
          ? undefined
          : await deps.local.find(at > 0 ? wanted.slice(0, at) : wanted, signal);
      if (own !== undefined) return [localCandidate(deps, own)];
      throw unknown(wanted, all());
    },
    refresh: (signal) => deps.local.refresh(signal),
    learn,
  };
}

/** What the owner brought or made: no default for questions that name no model. */
const isOfTheOwner = ({ engine }: ModelCard): boolean => ['onnx', 'trained', 'split'].includes(engine);

/** What was learned from the owner's data, or is computed by others for this peer, is offered when it is named and not by `*`. */
const isNamedOnly = (local: LocalModels, name: string): boolean =>
  local.list().some(({ card }) => card.name === name && ['trained', 'split'].includes(card.engine));

function isSelf({ self, name }: ModelsDeps, text: string): boolean {
  return text === name() || text === self;
}

function pinned(deps: ModelsDeps, all: readonly Candidate[], model: string, who: string): readonly Candidate[] {
  const ofWho = isSelf(deps, who)
    ? all.filter(({ local }) => local)
    : all.filter(({ peer }) => peer === deps.devices.find(who).peer);
  return ofWho.filter(({ card }) => sameModelName(card.name, model));
}

function localCandidate({ self, name, local }: ModelsDeps, model: LanguageModel): Candidate {
  return {
    card: model.card,
    peer: self,
    peerName: name(),
    local: true,
    here: local.isHere(model),
    path: 'local',
    roundTripMs: 0,
    model,
    currentPath: () => 'local',
  };
}

/** The pen for what one device gives to sign. */
function watched({ signing, receiptWrong }: ModelsDeps, peer: PeerId): ModelsDeps['signing'] {
  return {
    ...signing,
    async sign(half, seen) {
      try {
        return await signing.sign(half, seen);
      } catch (error) {
        receiptWrong(peer, error);
        throw error;
      }
    },
  };
}

function remoteCandidate(deps: ModelsDeps, device: Device, card: ModelCard): Candidate {
  const link = deps.links.get(device.peer);
  const model = askedModel(
    { ...deps, signing: watched(deps, device.peer) },
    {
      peer: device.peer,
      card,
      lease: fromHex(device.lease),
      addresses: device.addresses,
    },
  );
  const { peer, name } = device;
  const currentPath = () => deps.links.get(peer)?.path ?? 'relayed';
  return {
    card,
    peer,
    peerName: name,
    local: false,
    here: false,
    path: link?.path ?? 'offline',
    roundTripMs: link?.roundTripMs ?? 0,
    model,
    currentPath,
  };
}

function view({ card, peer, peerName, local, path }: Candidate, exposed: boolean): ModelView {
  return {
    name: gatewayName(card, peerName, local),
    model: card.name,
    peerId: peer,
    peerName,
    local,
    engine: card.engine,
    contextTokensMax: card.contextTokensMax,
    memoryBytes: card.memoryBytes,
    loaded: card.loaded,
    fits: card.fits,
    embeds: card.embeds === true,
    exposed: local && exposed,
    path,
    description: card.description ?? '',
  };
}

const gatewayName = ({ name }: ModelCard, peerName: string, local: boolean): string =>
  local ? name : `${name}@${peerName}`;

function unknown(name: string, all: readonly Candidate[]): PeerAiError {
  if (all.length === 0) return new PeerAiError('NO_MODELS', 'no engine here and no paired device offers a model');
  const names = all
    .slice(0, limits.namesToldMax)
    .map(({ local, card, peerName }) => (local ? card.name : `${card.name}@${peerName}`));
  return new PeerAiError('MODEL_UNKNOWN', `there is no model "${name.slice(0, 100)}"; there are ${names.join(', ')}`, {
    name: name.slice(0, 100),
  });
}
