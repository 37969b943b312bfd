import { expect, test } from 'vitest';
import { usageBounds } from './usage-bounds.ts';

test('a prompt counts its bytes and what a template may add, an answer what was asked for', () => {
  const messages = [
    { role: 'user' as const, text: 'é'.repeat(50) },
    { role: 'user' as const, text: '' },
  ];
  expect(usageBounds({ messages }, 50)).toEqual({ promptTokensMax: 100 + 2 * 16 + 64, answerTokensMax: 50 });
  expect(usageBounds({ messages: [] }, 0)).toEqual({ promptTokensMax: 64, answerTokensMax: 0 });
});
