import type { Protocol } from '@peerai/core-protocol';
import { initialWeights, type LanguageModelSizes, mlpWeights, seededUnit } from '@peerai/nn-engine';
import { splitModel, type SplitModel, stageWeights } from '@peerai/nn-engine/split';
import { createAgentNode } from '@peerai/transport/node';
import { testDeps } from '@peerai/transport/testing';

/** 160 rows of 16 numbers are 10,240 bytes, there and back; computing them takes next to nothing. */
const widths = [16, 16, 16];
const rows = 160;
export const stateShape = [rows, 16];
const model: SplitModel = { type: 'mlp', widths, rows };

/** Sends back what comes: what the channel alone costs. */
export const echoProtocol: Protocol = {
  id: '/bench/echo/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 65_536,
  channelsPerPeerMax: 1,
};
export const echoBytes = 10_240;

/** The last of two stages and its weights, the same in both processes. */
export function lastStage() {
  const stage = splitModel(model, 2).at(-1);
  if (stage === undefined) throw new Error('the model has no last stage');
  return { stage, weights: stageWeights(stage, mlpWeights(widths, seededUnit(1))) };
}

/** As large as the nano model; its second half answers. */
const sizes: LanguageModelSizes = { vocabulary: 1_024, width: 128, layers: 4, heads: 4, hidden: 256, context: 256 };
export const rowTokens = sizes.context;
export const tokenWidth = sizes.width;

/** The last of two stages of a language model, and its weights, the same in both processes. */
export function languageStage() {
  const batch = { rows: 1, length: sizes.context, learned: 1 };
  const stage = splitModel({ type: 'language-model', sizes, batch }, 2).at(-1);
  if (stage === undefined) throw new Error('the model has no last stage');
  return { stage, weights: stageWeights(stage, initialWeights(sizes, seededUnit(2))) };
}

/** A node on TCP alone, that listens where it is told to. */
export async function startNode(listen: readonly string[]) {
  const transports = { tcp: true, websocket: false, webrtc: false };
  const node = await createAgentNode(testDeps(), { listen: [...listen], relays: [], bootstrap: [], transports });
  await node.start();
  return node;
}
