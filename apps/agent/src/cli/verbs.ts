import type { Verb } from './command.ts';
import { wrapped } from './plain.ts';

interface Entry {
  readonly group: string;
  readonly usage: string;
  readonly says: string;
  readonly load: () => Promise<Verb>;
}

/** Every verb, loaded when it is used: `peerai --help` reads this table alone. */
export const verbs: Readonly<Record<string, Entry>> = {
  up: {
    group: 'Run',
    usage: 'up [--name N] [--relay ADDR] [--engine E] [--detach]',
    says: 'start this peer',
    load: async () => (await import('./commands/up.ts')).up,
  },
  down: {
    group: 'Run',
    usage: 'down',
    says: 'stop it',
    load: async () => (await import('./commands/process.ts')).down,
  },
  status: {
    group: 'Run',
    usage: 'status',
    says: 'what runs, who is there',
    load: async () => (await import('./commands/process.ts')).status,
  },
  open: {
    group: 'Run',
    usage: 'open [--url] [--docs]',
    says: 'open the dashboard',
    load: async () => (await import('./commands/process.ts')).open,
  },
  doctor: {
    group: 'Run',
    usage: 'doctor',
    says: 'find what is wrong and what to do',
    load: async () => (await import('./commands/process.ts')).doctor,
  },
  logs: {
    group: 'Run',
    usage: 'logs [-f]',
    says: 'show the log',
    load: async () => (await import('./commands/logs.ts')).logs,
  },
  demo: {
    group: 'Run',
    usage: 'demo chat|train',
    says: 'two peers on this machine: pair, ask across, signed receipt',
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  share: {
    group: 'Share',
    usage: 'share <model> [--for 2h] [--tokens N] [--guests N] [--qr] | ls | stop <id>',
    says: 'a link that opens a chat in a browser',
    load: async () => (await import('./commands/share.ts')).share,
  },
  invite: {
    group: 'Devices',
    usage: 'invite [--qr] [--allow chat,tasks,train,memory,borrow,route]',
    says: 'let another device in',
    load: async () => (await import('./commands/pairing.ts')).invite,
  },
  join: {
    group: 'Devices',
    usage: 'join <link>',
    says: 'accept an invite on this device',
    load: async () => (await import('./commands/pairing.ts')).join,
  },
  peers: {
    group: 'Devices',
    usage: 'peers ls|show|accept|reject|rename|allow|block|unblock|verify|rm|ping|trace|reputation <peer>',
    says: 'paired devices and guests',
    load: async () => (await import('./commands/peers.ts')).peers,
  },
  ping: {
    group: 'Devices',
    usage: 'ping <peer>',
    says: 'round trip to a device',
    load: async () => (await import('./commands/peers.ts')).pingVerb,
  },
  handshake: {
    group: 'Devices',
    usage: 'handshake [peer] [--six]',
    says: 'agree on new keys by HTTP; the sessions open',
    load: async () => (await import('./commands/handshake.ts')).handshake,
  },
  net: {
    group: 'Devices',
    usage: 'net [census|crawl]',
    says: 'who can reach this peer, and how',
    load: async () => (await import('./commands/paths.ts')).net,
  },
  capabilities: {
    group: 'Devices',
    usage: 'capabilities [peer]',
    says: 'what this peer, or another, can do',
    load: async () => (await import('./commands/status.ts')).capabilities,
  },
  wake: {
    group: 'Devices',
    usage: 'wake <peer> [--model M]',
    says: 'have a device load its model',
    load: async () => (await import('./commands/status.ts')).wake,
  },
  send: {
    group: 'Devices',
    usage: 'send <peer,peer|all|@group> [text] [--data JSON] [--file F] [--queue]',
    says: 'a message, kept until it is there',
    load: async () => (await import('./commands/messages.ts')).send,
  },
  files: {
    group: 'Devices',
    usage: 'files ls|cancel|rm <id>',
    says: 'files sent and received',
    load: async () => (await import('./commands/files.ts')).files,
  },
  inbox: {
    group: 'Devices',
    usage: 'inbox [--follow]',
    says: 'messages received',
    load: async () => (await import('./commands/messages.ts')).inbox,
  },
  groups: {
    group: 'Devices',
    usage: 'groups create|add|remove|leave|renew|ls|read <group>',
    says: 'several devices that read each other',
    load: async () => (await import('./commands/groups.ts')).groups,
  },
  state: {
    group: 'Devices',
    usage: 'state create|set|get|rm|text|share|unshare|ls|watch <document>',
    says: 'keys and texts that devices write together',
    load: async () => (await import('./commands/state.ts')).state,
  },
  pub: {
    group: 'Devices',
    usage: 'pub <topic> [text] [--data JSON]',
    says: 'say something to all who listen now',
    load: async () => (await import('./commands/topics.ts')).pub,
  },
  sub: {
    group: 'Devices',
    usage: 'sub <topic> [--where FILTER]',
    says: 'listen to what devices publish',
    load: async () => (await import('./commands/topics.ts')).sub,
  },
  delegate: {
    group: 'Tasks',
    usage: 'delegate <peer> <task> [--type T] [--watch]',
    says: 'give a device something to do',
    load: async () => (await import('./commands/tasks.ts')).delegate,
  },
  tasks: {
    group: 'Tasks',
    usage: 'tasks ls|show|cancel <id>',
    says: 'tasks given and taken',
    load: async () => (await import('./commands/tasks.ts')).tasks,
  },
  train: {
    group: 'Tasks',
    usage: 'train start|join|ls|watch|predict|link|links|unlink|stop|rm',
    says: 'train one model with devices, each on its own data',
    load: async () => (await import('./commands/train.ts')).train,
  },
  cluster: {
    group: 'Tasks',
    usage: 'cluster create|run|ask|learn|grow|ls|show|metrics|export|rm <name>',
    says: 'nodes that fire at thresholds, learn, and can be watched',
    load: async () => (await import('./commands/cluster.ts')).cluster,
  },
  lend: {
    group: 'Tasks',
    usage: 'lend --nodes N [--each N] [--everywhere N] [--price C] [--minutes-max M] | --off',
    says: 'nodes of this peer for devices, off until you say so',
    load: async () => (await import('./commands/lending.ts')).lend,
  },
  nodes: {
    group: 'Tasks',
    usage: 'nodes free [peer]',
    says: 'devices with free nodes, as they measured',
    load: async () => (await import('./commands/lending.ts')).nodes,
  },
  borrow: {
    group: 'Tasks',
    usage: 'borrow <peer> [--minutes M] [--price C] [--cluster F] [--data JSON]',
    says: 'run a gating cluster on a device’s nodes',
    load: async () => (await import('./commands/lending.ts')).borrow,
  },
  gov: {
    group: 'Tasks',
    usage: 'gov create|join|invite|leave|ls|show|propose|vote|log|verify|evidence|head|export|check',
    says: 'devices that decide together, by votes that all can check',
    load: async () => (await import('./commands/gov.ts')).gov,
  },
  market: {
    group: 'Tasks',
    usage:
      'market ls|offer|withdraw|buy|leases|balance|settle|dispute|evidence|check|judge|put|get|files|drop|prove|points|reward|rewards|policy|settlement|deploy|payout',
    says: 'models and room for bytes for credits: offers, leases, who owes whom, and where that is settled',
    load: async () => (await import('./commands/market.ts')).market,
  },
  leases: {
    group: 'Tasks',
    usage: 'leases ls|show|end|dispute|evidence <id>',
    says: 'nodes borrowed and lent, and what they cost',
    load: async () => (await import('./commands/lending.ts')).leases,
  },
  run: {
    group: 'Ask',
    usage: 'run <model> [prompt] [--peer P] [--system S] [--memory] [--proof FILE]',
    says: 'ask a model, here or on a peer',
    load: async () => (await import('./commands/run.ts')).run,
  },
  models: {
    group: 'Ask',
    usage: 'models ls|show|find|expose|hide|import|infer|export|split|rm <model>',
    says: 'what can be asked, and model files of your own',
    load: async () => (await import('./commands/models.ts')).models,
  },
  'check-answer': {
    group: 'Ask',
    usage: 'check-answer FILE',
    says: 'ask the same model again: did its peer tell the truth?',
    load: async () => (await import('./commands/check-answer.ts')).checkAnswerVerb,
  },
  memory: {
    group: 'Ask',
    usage: 'memory add|search|ls|show|share|forget|tidy|embedder|devices|sync [text]',
    says: 'what this peer remembers',
    load: async () => (await import('./commands/memory.ts')).memory,
  },
  cache: {
    group: 'Ask',
    usage: 'cache ls|get|rm <sha256>',
    says: 'models and capsules by their hash, from the nearest device that has them',
    load: async () => (await import('./commands/cache.ts')).cache,
  },
  chat: {
    group: 'Ask',
    usage: 'chat [--id NAME] [--peer NAME] [--port N]',
    says: 'two assistants that share a secret and a folder',
    load: async () => (await import('./commands/chat.ts')).chat,
  },
  log: {
    group: 'Ask',
    usage: 'log [assistant] [--conversation ID]',
    says: 'what they said',
    load: async () => (await import('./commands/chat.ts')).log,
  },
  env: {
    group: 'Ask',
    usage: 'env openai|ollama',
    says: 'settings for your tools: eval "$(peerai env openai)"',
    load: async () => (await import('./commands/env.ts')).env,
  },
  key: {
    group: 'Keys',
    usage: 'key show | add <name> | ls | revoke <name> | rotate',
    says: 'this identity, and keys for tools',
    load: async () => (await import('./commands/key.ts')).key,
  },
  ledger: {
    group: 'Books',
    usage: 'ledger tail|verify|prove|check|export|origins|witness|repair|go-on|evidence|pardon|anchor',
    says: 'what was signed here, and what others keep and sign of it',
    load: async () => (await import('./commands/ledger.ts')).ledger,
  },
  config: {
    group: 'Settings',
    usage: 'config get|set|explain|check|schema|example',
    says: 'every setting and where it comes from',
    load: async () => (await import('./commands/config.ts')).config,
  },
  completion: {
    group: 'Settings',
    usage: 'completion bash|zsh|fish',
    says: 'completion for your shell',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
};

/** Below so many columns what a verb does stands on a line of its own. */
const besideMin = 110;

/** The page `peerai --help` prints, for a terminal of so many columns; as wide as its lines where nothing says. */
export function overview(version: string, columns?: number): string {
  const isNarrow = columns !== undefined && columns < besideMin;
  const lines = [`peerai ${version}: share models and talk between peers, with no server in the middle`, ''];
  const width = Math.max(...Object.values(verbs).map(({ usage }) => Math.min(usage.length, 48)));
  let group = '';
  for (const entry of Object.values(verbs)) {
    if (entry.group !== group) lines.push(`${group === '' ? '' : '\n'}${entry.group}`);
    group = entry.group;
    if (isNarrow) {
      lines.push(wrapped(`peerai ${entry.usage}`, columns, '  ', '      '), wrapped(entry.says, columns, '      '));
      continue;
    }
    lines.push(
      entry.usage.length > 48
        ? `  peerai ${entry.usage}\n  ${' '.repeat(width + 7)}  ${entry.says}`
        : `  peerai ${entry.usage.padEnd(width)}  ${entry.says}`,
    );
  }
  const everywhere = [
    'Everywhere: --json --jsonl -q -v --no-color --no-input -y --home DIR --api URL --timeout S --help',
    'Exit status: 0 ok, 1 failure, 2 usage, 3 not running, 4 unreachable, 5 refused, 6 verification failed, 7 engine or model, 8 time-out, 9 configuration, 130 interrupted',
  ];
  return [...lines, '', ...everywhere.map((line) => (isNarrow ? wrapped(line, columns, '', '  ') : line)), ''].join(
    '\n',
  );
}

/** The verb somebody may have meant: fewest letters off, at most two. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const scored = words.map((one) => [distance(word, one), one] as const).sort((a, b) => a[0] - b[0]);
  const [best] = scored;
  return best !== undefined && best[0] <= 2 ? best[1] : undefined;
}

/** Levenshtein distance, one row at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of a.split('').entries()) {
    const next = [i + 1];
    for (const [j, other] of b.split('').entries()) {
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
