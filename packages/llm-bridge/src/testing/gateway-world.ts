import { type LanguageModel, nobleCrypto, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { ManualClock, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import type { Catalogue, CatalogueEntry } from '../api/catalogue.ts';
import { createGateway, type Gateway, type GatewayContext } from '../api/gateway.ts';
import { scriptedModel } from '../engines/scripted.ts';

export const [self, studyPc] = ['self', 'study-pc'] as PeerId[] as [PeerId, PeerId];

/** A gateway to scripted models: our own by name, a peer's as `name@study-pc`. `extra` adds models of any behaviour. */
export interface GatewayWorld {
  readonly gateway: Gateway;
  readonly clock: ManualClock;
  readonly get: (path: string) => Promise<Response>;
  readonly post: (path: string, body: unknown, context?: GatewayContext) => Promise<Response>;
}

export function createGatewayWorld(extra: Readonly<Record<string, LanguageModel>> = {}): GatewayWorld {
  const clock = new ManualClock();
  const find = (name: string): LanguageModel | undefined => extra[name] ?? scriptedModel({ clock }, name);
  const entry = (name: string, model: LanguageModel, local: boolean): CatalogueEntry => ({
    name,
    card: model.card,
    peer: local ? self : studyPc,
    owner: local ? 'laptop' : 'study-pc',
    local,
  });
  const catalogue: Catalogue = {
    list: async () => [
      ...['echo', ...Object.keys(extra)].map((name) => entry(name, find(name) as LanguageModel, true)),
      entry('echo@study-pc', find('echo') as LanguageModel, false),
    ],
    async resolve(name) {
      const [bare, peer] = name.replace(/:latest$/, '').split('@');
      const model = find(bare ?? '');
      if (model === undefined) throw new PeerAiError('MODEL_UNKNOWN', `there is no model ${name}`);
      return {
        model,
        servedBy: () => (peer === undefined ? { peer: self, path: 'local' } : { peer: studyPc, path: 'direct' }),
      };
    },
  };
  const gateway = createGateway({
    catalogue,
    clock,
    random: seededRandom(1),
    crypto: nobleCrypto,
    logger: silentLogger,
    self,
  });
  const url = (path: string): string => `http://127.0.0.1:8006${path}`;
  return {
    gateway,
    clock,
    get: (path) => gateway.fetch(new Request(url(path))),
    post: (path, body, context) =>
      gateway.fetch(
        new Request(url(path), { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
        context,
      ),
  };
}

/** A model that throws this instead of answering, or after some tokens. */
export function failingModel(error: unknown, afterTokens = 0): LanguageModel {
  const { card } = scriptedModel({ clock: new ManualClock() }, 'fail') as LanguageModel;
  return {
    specification: 1,
    card,
    async *generate() {
      for (let count = 0; count < afterTokens; count += 1) yield { type: 'text-delta', text: 'x' };
      throw error;
    },
  };
}
