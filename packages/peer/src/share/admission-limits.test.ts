import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { claim, grantOf, guest, hash, openScene, share, shared } from '../testing/admission-scene.ts';

test('a guest that only looks is written down once in `guestSeenEveryMs`', async () => {
  const scene = await openScene();
  const one = { ...share(scene.clock), expiresMs: scene.clock.nowMs() + 10 * limits.guestSeenEveryMs };
  await scene.shares.add(one);
  const greet = () => scene.admission.greet(guest.peer, grantOf(one));
  await greet();
  expect(scene.told).toHaveLength(1);
  await scene.clock.advance(limits.guestSeenEveryMs - 1);
  await greet();
  expect(scene.told).toHaveLength(1);
  await scene.clock.advance(1);
  await greet();
  expect(scene.told).toHaveLength(2);
});

test('a guest that owes a signature is waited for `signatureGraceMs`, then its next answer is refused', async () => {
  const scene = await shared();
  const { one, clock } = scene;
  const first = await scene.admission.reserve(claim(one, 'r1', 30));
  await first.settle({ promptTokens: 10, answerTokens: 20 }, hash('work'));
  let code: unknown;
  scene.admission.reserve(claim(one, 'r2', 30)).catch((error: unknown) => {
    ({ code } = error as { readonly code?: string });
  });
  await clock.advance(limits.signatureGraceMs - 1);
  expect(code).toBeUndefined();
  await clock.advance(1);
  expect(code).toBe('RECEIPT_UNSIGNED');
});
