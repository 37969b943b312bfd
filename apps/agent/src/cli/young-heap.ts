/**
 * The most each half of V8's young generation may grow to, MB. At V8's own 16 an agent at rest holds 60 MB of them that it filled once, while it
 * loaded its modules; below 4 a busy gateway would be seen collecting (docs/decisions/young-heap.md).
 */
const semiSpaceMb = 4;
const flag = '--max-semi-space-size';
/** What Node cuts small buffers from, bytes: of its own 64 KiB one address of a peer that is kept holds on to all, and twelve linked peers to ten MB. */
const bufferPoolBytes = 8_192;

/** To be called before there is much to remember. */
export function withSmallBufferPool(): void {
  Buffer.poolSize = bufferPoolBytes;
}

/**
 * Goes on as the same process, with a small young generation. V8 reads its size once, before any program runs, so this takes the process's place
 * with a Node that is told so (30 ms). Whoever gave the flag, or started us with a channel to talk over, is left alone; so is Windows.
 */
export function withSmallYoungHeap(): void {
  const given = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  if (given.replaceAll('_', '-').includes(flag) || process.channel !== undefined) return;
  if (process.platform === 'win32' || process.execve === undefined) return;
  const args = [process.execPath, ...process.execArgv, `${flag}=${semiSpaceMb}`, ...process.argv.slice(1)];
  process.execve(process.execPath, args, process.env);
}
