import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freshFolder } from '../folder.ts';
import { type Bench, interleave, notMeasured, resultOf } from '../harness.ts';
import { builtFile } from '../programs.ts';
import { startProgram } from '../start/program.ts';

const rounds = 5;
const restMs = 5_000;
const goals = { readyMs: 1_500, memoryMb: 200 };
const bareProgram = fileURLToPath(new URL('../start/bare-libp2p.js', import.meta.url));

/** Loopback, free ports, nothing looked for on the network. */
const quietEnv = {
  PEERAI_NETWORK__LISTEN_ADDRESS: '127.0.0.1:0',
  PEERAI_NETWORK__DISCOVERY__MDNS: 'false',
  PEERAI_API__PORT: '0',
  PEERAI_LLM__ENGINES: 'nano',
  PEERAI_LOGGING__LEVEL: 'warn',
};

/** How long from `peerai up` to ready, and how much memory does the agent hold at rest? */
export const start: Bench = {
  name: 'start',
  async run({ signal, log }) {
    using folder = freshFolder();
    const agent = builtFile(import.meta.resolve('@peerai/agent/package.json'), 'program/main.js');
    const memory: number[] = [];
    const readings = await interleave(
      {
        bare: async () => {
          const { readyMs, stop } = await startProgram(bareProgram, [], {});
          await stop();
          return readyMs;
        },
        agent: async (round) => {
          log(`round ${round + 1}`);
          const args = ['up', '--json', '--home', `${folder.path}/${round}`];
          const { readyMs, memoryMb, stop } = await startProgram(agent, args, quietEnv);
          if (round >= 0) {
            await sleep(restMs, undefined, { signal }).catch(() => undefined);
            memory.push(memoryMb() ?? NaN);
          }
          await stop();
          return readyMs;
        },
      },
      { rounds, signal },
    );
    const memoryRow = {
      case: 'memory 5 s later',
      unit: 'MB',
      goal: goals.memoryMb,
      rule: 'candidate-at-most',
    } as const;
    return {
      results: [
        resultOf({
          case: 'first start of a home, to the ready line',
          unit: 'ms',
          candidate: readings.agent,
          baseline: readings.bare,
          goal: goals.readyMs,
          rule: 'candidate-at-most',
        }),
        memory.some(Number.isNaN) ? notMeasured(memoryRow) : resultOf({ ...memoryRow, candidate: memory }),
      ],
      notes: [
        'Baseline: a process with libp2p alone, the same transports, to listening. Both from the start of the process; ratio above 1 is slower.',
      ],
    };
  },
};
