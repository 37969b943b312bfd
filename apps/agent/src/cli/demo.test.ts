import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { peerai } from '../../test/cli.ts';

const model = fileURLToPath(new URL('../../../../packages/nn-engine/assets/nano.bin', import.meta.url));

test.skipIf(!existsSync(model))(
  'the demo pairs two peers, asks across and leaves a signed receipt',
  { timeout: 60_000 },
  async () => {
    const { code, stdout, stderr } = await peerai(['demo', 'chat']);
    expect(stderr).toMatch(/study-pc · (?:direct|relayed) · signed ✓/);
    expect(stderr).toContain('✓ 1 receipt');
    expect(stdout.toLowerCase()).toContain('peerai');
    expect(code).toBe(0);
  },
);
