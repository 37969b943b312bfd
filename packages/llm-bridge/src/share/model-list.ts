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
type Card = ReturnType<typeof card.decode>;
const question = message({ grant: optional(bytes(1)) });
const answer = message({ cards: repeated(nested(1, card), limits.modelCardsMax) });

/** Which models may I ask? Anybody may ask; the answer holds what this peer may have. */
export const modelListMethod: Method<ReturnType<typeof question.decode>, ReturnType<typeof answer.decode>> = {
  protocol: {
    id: '/peerai/models/1',
    access: 'anyone',
    framing: 'messages',
    messageBytesMax: limits.modelListBytesMax,
    channelsPerPeerMax: limits.modelListChannelsPerPeerMax,
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

/** Answers `/peerai/models/1` until disposed; more than `limits.modelCardsMax` cards are cut off, and descriptions that do not fit the answer. */
export function serveModelList(network: Network, visible: VisibleModels): Disposable {
  return serveMethod(network, modelListMethod, async ({ grant }, { peer }) => {
    if ((grant?.length ?? 0) > limits.grantBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the grant is too long');
    const cards = await visible(peer, grant);
    return { cards: fitting(cards.slice(0, limits.modelCardsMax)) };
  });
}

/** What a card costs in the list besides its own bytes, the list's and the frame's heads counted with the first. */
const cardHeadBytes = 8;

/** Descriptions as far as they fit the answer beside all names; the others are left out, so that the list comes at all. */
function fitting(cards: readonly ModelCard[]): readonly Card[] {
  const bare = cards.map((one): Card => ({ embeds: undefined, ...one, description: undefined }));
  const sizeOf = (one: Card): number => card.encode(one).length;
  let left = limits.modelListBytesMax - bare.reduce((sum, one) => sum + cardHeadBytes + sizeOf(one), 64);
  return bare.map((one, place) => {
    const whole = { ...one, description: cards[place]?.description?.slice(0, limits.descriptionCharsMax) };
    const more = sizeOf(whole) - sizeOf(one);
    if (more > left) return one;
    left -= more;
    return whole;
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
