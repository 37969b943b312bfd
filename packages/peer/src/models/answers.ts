import type { PeerId } from '@peerai/core-protocol';
import { createFailures, createGateway, createModelQueue, type Gateway } from '@peerai/llm-bridge';
import { type Chat, type ChatDeps, createChat } from '../chat/chat.ts';
import type { EventHub } from '../events/hub.ts';
import { openedView } from '../ledger/books.ts';
import type { Signing } from '../ledger/signing.ts';
import type { LinkBook } from '../links/link-book.ts';
import type { NodeView } from '../node/node.schema.ts';
import type { Devices } from '../pairing/devices.ts';
import type { PeerSettings, PeerWorld } from '../peer-world.ts';
import type { PeerReputation } from '../reputation/reputation.ts';
import type { ImportedModels } from './imported-models.ts';
import { createLocalModels, type LocalModels } from './local-models.ts';
import { type Models, openModels } from './models.ts';
import { createRemoteModels, type RemoteModels } from './remote-models.ts';
import { catalogueOf, createRoute } from './route.ts';

interface Parts {
  readonly devices: Devices;
  readonly events: EventHub;
  readonly links: LinkBook;
  readonly signing: Signing;
  readonly nameOf: (peer: PeerId) => string;
  readonly memory: ChatDeps['memory'];
  readonly reputation: () => PeerReputation;
  /** Our own engines have other models now. */
  readonly changed: () => void;
}

/** Who answers: the engines here, the models of devices, the line before ours, and the ways to ask them all. */
export interface Answers {
  readonly local: LocalModels;
  readonly remote: RemoteModels;
  readonly models: Models;
  readonly queue: ReturnType<typeof createModelQueue>;
  readonly chat: Chat;
  /** The OpenAI and Ollama faces. */
  readonly gateway: Gateway;
  answering(): NodeView['answering'];
}

/** Throws what the store throws. */
export async function openAnswers(
  world: PeerWorld & { readonly imported: Pick<ImportedModels, 'list'> },
  settings: PeerSettings,
  { devices, events, links, signing, nameOf, memory, reputation, changed }: Parts,
): Promise<Answers> {
  const { identity, clock, random, crypto, logger } = world;
  const { expose, defaultModel, systemPrompt, concurrency, queueLength } = settings;
  const { engines, findings, imported } = world;
  const local = createLocalModels({
    clock,
    logger,
    engines,
    findings,
    systemPrompt,
    changed() {
      events.emit({ type: 'models-changed' });
      changed();
    },
  });
  const remote = createRemoteModels();
  const models = await openModels({
    ...world,
    self: identity.peer,
    name: () => settings.name,
    local,
    remote,
    devices,
    links,
    events,
    signing,
    receiptWrong: (peer, error) => reputation().failed(peer, error),
    expose,
    isImported: async (name) => (await imported.list()).models.some((one) => one.name === name),
    defaultModel,
  });
  const standing = (peer: PeerId): number => reputation().standing(peer);
  const queue = createModelQueue(clock, { concurrency, queueLengthMax: queueLength, standing });
  const route = createRoute(createFailures(clock), () => queue.running + queue.waiting, reputation);
  const receiptView = (receipt: Uint8Array) => openedView(crypto, receipt);
  const catalogue = catalogueOf(models, route);
  return {
    local,
    remote,
    models,
    queue,
    chat: createChat({ clock, crypto, systemPrompt, engines, logger, models, memory, nameOf, route, receiptView }),
    gateway: createGateway({ catalogue, clock, random, crypto, logger, self: identity.peer }),
    answering: () => ({ active: queue.running, queued: queue.waiting, concurrentMax: concurrency }),
  };
}
