import { mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A fresh folder on the disk this program lies on: a memory file system, as /tmp often is, would make durable writes free. */
export function freshFolder(): { readonly path: string; readonly [Symbol.dispose]: () => void } {
  const path = mkdtempSync(fileURLToPath(new URL('./bench-', import.meta.url)));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}
