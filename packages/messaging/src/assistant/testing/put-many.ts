// Puts so many envelopes into an inbox file, as a process of its own: `put-many.ts <folder> <name> <count>`.
import { type Clock, utf8 } from '@peerai/core-protocol';
import { openInboxFiles } from '../inbox-files.ts';

const [folder = '', name = '', count = '0'] = process.argv.slice(2);
const clock = {
  nowMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms)),
} as Clock;
const files = openInboxFiles(folder, { clock });
for (let n = 0; n < Number(count); n += 1) {
  await files.put('assistant_b', utf8(JSON.stringify({ from: name, to: 'assistant_b', encrypted: `${name} ${n}` })));
}
