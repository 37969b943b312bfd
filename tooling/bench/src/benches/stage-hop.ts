import { nobleCrypto, type Tensor, type Tensors } from '@peerai/core-protocol';
import { createNodeRuntime } from '@peerai/nn-engine/node';
import { openRemoteStage, openStage, packWeights, type Stage, type StageRunner } from '@peerai/nn-engine/split';
import { systemClock, systemRandom } from '@peerai/platform';
import { forkProgram } from '../fork.ts';
import { type Bench, elapsedMs, interleave, resultOf } from '../harness.ts';
import type { StageHostReady } from '../stage-hop/host.ts';
import {
  echoBytes,
  echoProtocol,
  languageStage,
  lastStage,
  rowTokens,
  startNode,
  stateShape,
  tokenWidth,
} from '../stage-hop/workload.ts';

const rounds = 11;
const callsEach = 200;
const goalMs = 2;
/** Whole rows are 131 kB a call. */
const rowsEach = 20;
const questionTokens = 64;
const answerTokens = 100;

/** What a hop of 10 KB to a stage in another process costs on loopback, against the same stage in this one? */
export const stageHop: Bench = {
  name: 'stage-hop',
  async run({ signal }) {
    await using host = await forkProgram<StageHostReady>(new URL('../stage-hop/host.js', import.meta.url), signal);
    const { peer, addresses } = host.ready;
    const { stage, weights } = lastStage();
    const data = Float32Array.from(
      { length: stateShape.reduce((all, size) => all * size, 1) },
      (_, index) => index % 7,
    );
    const feeds: Tensors = { state: { type: 'float32', shape: stateShape, data } };
    const node = await startNode([]);
    try {
      const deps = { network: node.network, clock: systemClock };
      const name = { stage, weights: nobleCrypto.sha256(packWeights(weights)), mode: 'answer' } as const;
      // Dials by its address; the channels after it take the link that is there.
      const echo = await node.network.open(peer, echoProtocol, { signal, addresses });
      const answers = echo[Symbol.asyncIterator]();
      const message = systemRandom.bytes(echoBytes);
      const echoOnce = async (): Promise<void> => {
        await echo.send(message);
        await answers.next();
      };
      await using exact = await openRemoteStage(deps, peer, { ...name, activations: 'float32' }, signal);
      await using rounded = await openRemoteStage(deps, peer, { ...name, activations: 'int8' }, signal);
      await using local = await openStage({ runtime: createNodeRuntime() }, { stage, weights, mode: 'answer', signal });
      const meanMs = (work: () => Promise<unknown>) => async (): Promise<number> => {
        const totalMs = await elapsedMs(async () => {
          for (let call = 0; call < callsEach; call += 1) await work();
        });
        return totalMs / callsEach;
      };
      const language = languageStage();
      const rows = openedRows(language.stage, language.weights);
      await using whole = await openRemoteStage(deps, peer, { ...rows, mode: 'answer' }, signal);
      await using cached = await openRemoteStage(deps, peer, { ...rows, mode: 'decode' }, signal);
      const tokensMs = async (): Promise<number> => {
        using answer = cached.begin();
        await answer.extend(0, states(questionTokens), signal);
        const totalMs = await elapsedMs(async () => {
          for (let past = questionTokens; past < questionTokens + answerTokens; past += 1)
            await answer.extend(past, states(1), signal);
        });
        return totalMs / answerTokens;
      };
      const rowMs = async (): Promise<number> => {
        const totalMs = await elapsedMs(async () => {
          for (let call = 0; call < rowsEach; call += 1) await whole.forward(wholeRow(), signal);
        });
        return totalMs / rowsEach;
      };
      const callMs = (runner: StageRunner) => meanMs(() => runner.forward(feeds, signal));
      const readings = await interleave(
        {
          here: callMs(local),
          there: callMs(exact),
          int8: callMs(rounded),
          echo: meanMs(echoOnce),
          token: tokensMs,
          row: rowMs,
        },
        { rounds, signal },
      );
      const hop = readings.there.map((ms, round) => ms - (readings.here[round] ?? Number.NaN));
      const unit = 'ms';
      return {
        results: [
          resultOf({
            case: 'a hop of 10 KB (a call there, less one here), against an echo of the channel',
            unit,
            candidate: hop,
            baseline: readings.echo,
            goal: goalMs,
            rule: 'candidate-at-most',
          }),
          resultOf({
            case: 'a call there, against one here',
            unit,
            candidate: readings.there,
            baseline: readings.here,
          }),
          resultOf({
            case: 'a call there with a state in eight bits',
            unit,
            candidate: readings.int8,
            baseline: readings.there,
          }),
          resultOf({
            case: 'a token of an answer at a stage there that keeps keys and values, against its whole row again',
            unit,
            candidate: readings.token,
            baseline: readings.row,
          }),
        ],
        notes: [
          '10,240 bytes there and as many back over libp2p (TCP, Noise and the post-quantum seal), computed by ONNX Runtime on both sides.',
        ],
      };
    } finally {
      await node.stop();
    }
  },
};

const openedRows = (stage: Stage, weights: Float32Array) =>
  ({ stage, weights: nobleCrypto.sha256(packWeights(weights)), activations: 'float32' }) as const;

/** States of so many tokens, some numbers. */
const states = (count: number): Tensor => ({
  type: 'float32',
  shape: [count, tokenWidth],
  data: Float32Array.from({ length: count * tokenWidth }, (_, index) => (index % 7) / 7),
});

function wholeRow(): Tensors {
  const { type, data } = states(rowTokens);
  return {
    state: { type, shape: [1, rowTokens, tokenWidth], data },
    segments: { type: 'int64', shape: [1, rowTokens], data: new BigInt64Array(rowTokens) },
    positions: { type: 'int64', shape: [1], data: BigInt64Array.of(BigInt(questionTokens)) },
  };
}
