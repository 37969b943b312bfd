import type { Tensor } from '@peerai/core-protocol';
import { describe, expect, it } from 'vitest';

import type { Served } from '../program/session.ts';
import { untilLost } from './lost-device.ts';

const value: Tensor = { type: 'float32', shape: [], data: Float32Array.of(1) };
const refused = expect.objectContaining({ code: 'MODEL_REFUSED', message: expect.stringContaining('lost: unplugged') });

function scene(run: () => Promise<Record<string, Tensor>> = async () => ({ value })) {
  const asked: string[] = [];
  const served: Served = {
    run: () => (asked.push('run'), run()),
    read: async () => (asked.push('read'), value),
    write: () => void asked.push('write'),
    settle: () => undefined,
    release: async () => undefined,
  };
  const { promise, resolve } = Promise.withResolvers<{ readonly message: string }>();
  return { asked, session: untilLost(served, promise), lose: () => resolve({ message: 'unplugged' }) };
}

describe('A session whose graphics processor is lost', () => {
  it('gives up the run that is never answered', async () => {
    const { session, lose } = scene(() => new Promise(() => undefined));
    const run = session.run({});
    lose();
    await expect(run).rejects.toEqual(refused);
  });

  it('answers all that comes later itself, because ONNX Runtime would not', async () => {
    const { asked, session, lose } = scene();
    expect(await session.run({})).toEqual({ value });
    session.write('w', value);
    lose();
    await Promise.resolve();
    await expect(session.run({})).rejects.toEqual(refused);
    await expect(session.read('w')).rejects.toEqual(refused);
    expect(() => session.write('w', value)).toThrow(refused);
    expect(asked).toEqual(['run', 'write']);
  });

  it('says the loss, and not what broke by it', async () => {
    const broken = Promise.withResolvers<never>();
    const { session, lose } = scene(() => broken.promise);
    const run = session.run({});
    lose();
    broken.reject(new Error('mapAsync'));
    await expect(run).rejects.toEqual(refused);
    const other = scene(() => Promise.reject(new Error('as ever')));
    await expect(other.session.run({})).rejects.toThrow('as ever');
  });
});
