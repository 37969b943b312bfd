import {
  type CallDeps,
  callMethod,
  type CallOptions,
  type Method,
  type ModelCard,
  type Network,
  PeerAiError,
  type PeerId,
  serveMethod,
  utf8,
  wire,
} from '@peerai/core-protocol';
import { limits } from '../limits.ts';

const { bool, bytes, message, nested, optional, repeated, string, uint53 } = wire;

const card = message({
  name: string(1),
  engine: string(2),
  contextTokensMax: uint53(3),
  memoryBytes: uint53(4),
  loaded: bool(5),
  deterministic: bool(6),
  fits: bool(7),
  embeds: optional(bool(8)),
  description: optional(string(9)),
});
const question = message({ grant: optional(bytes(1)) });
const answer = message({ cards: repeated(nested(1, card), limits.modelCardsMax) });

/** Which models may I ask? Anybody may ask; the answer holds what this peer may have. */
export const modelListMethod: Method<ReturnType<typeof question.decode>, ReturnType<typeof answer.decode>> = {
  protocol: {
    id: '/peerai/models/1',
    access: 'anyone',
    framing: 'messages',
    messageBytesMax: 262_144,
    channelsPerPeerMax: 4,
  },
  request: question,
  response: answer,
  timeoutMs: limits.modelListMs,
};

/** The cards a peer may see: by what it is allowed, or by the ticket whose proof it brings. */
export type VisibleModels = (
  peer: PeerId,
  grant: Uint8Array | undefined,
) => Promise<readonly ModelCard[]> | readonly ModelCard[];

/** Answers `/peerai/models/1` until disposed; more than `limits.modelCardsMax` cards are cut off. */
export function serveModelList(network: Network, visible: VisibleModels): Disposable {
  return serveMethod(network, modelListMethod, async ({ grant }, { peer }) => {
    if ((grant?.length ?? 0) > limits.grantBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the grant is too long');
    const cards = await visible(peer, grant);
    return {
      cards: cards.slice(0, limits.modelCardsMax).map((one) => ({ embeds: undefined, description: undefined, ...one })),
    };
  });
}

/** A peer's models that we may ask. Cards with names nobody could type are left out. Throws as `callMethod` does. */
export async function listRemoteModels(
  deps: CallDeps,
  peer: PeerId,
  options: CallOptions & { readonly grant?: Uint8Array },
): Promise<readonly ModelCard[]> {
  const { cards } = await callMethod(deps, peer, modelListMethod, { grant: options.grant }, options);
  return cards
    .filter(({ name }) => isName(name))
    .map(({ embeds, description, ...rest }) => ({
      ...rest,
      ...(embeds === undefined ? {} : { embeds }),
      ...(description === undefined ? {} : { description: cleanText(description) }),
    }));
}

const isName = (name: string): boolean => utf8(name).length <= limits.modelNameBytesMax && /^[^\s\p{C}]+$/u.test(name);
/** A stranger's sentence goes to a screen: no control characters, no lines. */
const cleanText = (text: string): string => text.replaceAll(/[\p{C}\s]+/gu, ' ').slice(0, limits.descriptionCharsMax);
