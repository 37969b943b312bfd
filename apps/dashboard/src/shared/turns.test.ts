import { describe, expect, it } from 'vitest';
import {
  applyChatEvent,
  closeAnswer,
  newAnswer,
  type SentBounds,
  textAboveButtons,
  toMessages,
  type Turn,
} from './turns.ts';

const servedBy = { peerId: 'p', name: 'study-pc', path: 'direct' as const };

describe('An answer', () => {
  it('grows by its events and remembers who gave it', () => {
    let turn = applyChatEvent(newAnswer('mistral'), { type: 'start', model: 'mistral', servedBy });
    expect(turn.state).toBe('waiting');
    turn = applyChatEvent(applyChatEvent(turn, { type: 'delta', text: 'One' }), { type: 'delta', text: ' two' });
    expect(turn).toMatchObject({ state: 'streaming', text: 'One two', servedBy });
  });

  it('leaves out the list that buttons say again, and only that', () => {
    const finish = {
      type: 'finish',
      reason: 'stop',
      promptTokens: 1,
      answerTokens: 1,
      firstTokenMs: 1,
      totalMs: 1,
    } as const;
    const shown = (text: string, suggestions?: string[]): string =>
      textAboveButtons({
        ...newAnswer('nano'),
        text,
        finish: { ...finish, tokensPerSecond: 1, servedBy, ...(suggestions === undefined ? {} : { suggestions }) },
      });
    expect(shown('I do not know.\n\nDid you mean:\n- A?\n- B?', ['A?', 'B?'])).toBe('I do not know.');
    expect(shown('Did you mean:\n- A?\n- B?')).toBe('Did you mean:\n- A?\n- B?');
    expect(shown('I do not know.', ['A?'])).toBe('I do not know.');
    expect(textAboveButtons({ ...newAnswer('nano'), text: 'so far:\n- A?' })).toBe('so far:\n- A?');
  });

  it('keeps its text when it fails', () => {
    const turn = applyChatEvent(
      { ...newAnswer('m'), text: 'One' },
      { type: 'error', code: 'TIMEOUT', message: 'too slow', hint: 'wait' },
    );
    expect(turn).toMatchObject({
      state: 'failed',
      text: 'One',
      error: { code: 'TIMEOUT', message: 'too slow', hint: 'wait' },
    });
  });

  it('that just ends has failed, unless the reader stopped it', () => {
    expect(closeAnswer(newAnswer('m'), false)).toMatchObject({ state: 'failed', error: { code: 'CHANNEL_CLOSED' } });
    expect(closeAnswer(newAnswer('m'), true)).toMatchObject({ state: 'stopped' });
    expect(closeAnswer({ ...newAnswer('m'), state: 'done' }, true).state).toBe('done');
  });

  it('without a word is not sent back to the model', () => {
    expect(toMessages([{ role: 'user', text: 'Hi' }, newAnswer('m')], { turnsMax: 2, sentBytesMax: 1_000 })).toEqual([
      { role: 'user', text: 'Hi' },
    ]);
  });
});

describe('What a model is sent', () => {
  const asked = (text: string): Turn => ({ role: 'user', text });
  const answered = (text: string): Turn => ({ ...newAnswer('m'), text });
  const turns = [asked('a'), answered('b'), asked('c'), answered('d'), asked('e')];
  const sent = (bounds: Partial<SentBounds>) =>
    toMessages(turns, { turnsMax: 99, sentBytesMax: 9_999, ...bounds }).map(({ text }) => text);

  it('is `turnsMax` turns at the most, and begins with a question', () => {
    expect([sent({ turnsMax: 5 }), sent({ turnsMax: 4 }), sent({ turnsMax: 3 })]).toEqual([
      ['a', 'b', 'c', 'd', 'e'],
      ['c', 'd', 'e'],
      ['c', 'd', 'e'],
    ]);
  });

  it('has `sentBytesMax` bytes as JSON at the most, whatever the letters are', () => {
    const bytes = (some: readonly Turn[]) =>
      some.reduce((sum, { role, text }) => sum + new TextEncoder().encode(JSON.stringify({ role, text })).length, 0);
    const last = bytes(turns.slice(2));
    expect([sent({ sentBytesMax: bytes(turns) }), sent({ sentBytesMax: bytes(turns) - 1 })]).toEqual([
      ['a', 'b', 'c', 'd', 'e'],
      ['c', 'd', 'e'],
    ]);
    expect([sent({ sentBytesMax: last }), sent({ sentBytesMax: last - 1 })]).toEqual([['c', 'd', 'e'], ['e']]);
    expect(sent({ sentBytesMax: 1 })).toEqual(['e']);
    const wide = [asked('漢'), asked('"')];
    expect(toMessages(wide, { turnsMax: 2, sentBytesMax: bytes(wide) })).toHaveLength(2);
    expect(toMessages(wide, { turnsMax: 2, sentBytesMax: bytes(wide) - 1 })).toHaveLength(1);
  });
});
