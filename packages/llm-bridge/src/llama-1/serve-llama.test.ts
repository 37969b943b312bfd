import { type Channel, type LanguageModel, nobleCrypto, PeerAiError, type PeerId, utf8 } from '@peerai/core-protocol';
import { seededRandom, settle, silentLogger } from '@peerai/core-protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scriptedModel } from '../engines/scripted.ts';
import { limits } from '../limits.ts';
import { createFairQueue, type FairQueue } from '../share/fair-queue.ts';
import { type RecordingAdmission, recordingAdmission } from '../testing/admission.ts';
import { createShareWorld, provider, type ShareWorld } from '../testing/share-world.ts';
import { apiKeyTable } from './api-keys.ts';
import { parseRequest } from './request.ts';
import { llamaProtocol, serveLlama, type ServeLlamaOptions } from './serve-llama.ts';

let world: ShareWorld;
let queue: FairQueue;
beforeEach(() => {
  world = createShareWorld();
});
afterEach(async () => {
  expect(await world.leftovers()).toEqual([0, 0, 0, 0, 0]);
  expect([queue.running, queue.waiting]).toEqual([0, 0]);
});
const never = new AbortController().signal;

function serve(options: Partial<ServeLlamaOptions> = {}, admission: RecordingAdmission = world.admission): Disposable {
  const { clock, there } = world;
  const model = (name: string): LanguageModel | undefined => scriptedModel({ clock }, name);
  queue = createFairQueue(clock, { concurrency: 1, lengthMax: 4, perPeerMax: 4 });
  return serveLlama(
    {
      network: there,
      admission,
      clock,
      crypto: nobleCrypto,
      logger: silentLogger,
      random: seededRandom(5),
      models: () => [],
      model,
      queue,
    },
    { defaultModel: () => model('echo'), ...options },
  );
}
/** As the seed's client does it: write, half-close, read to the end. */
async function send(body: string | Uint8Array, pieces = 1): Promise<string> {
  const channel = await world.here.open(provider, llamaProtocol, { signal: never });
  const bytes = typeof body === 'string' ? utf8(body) : body;
  const size = Math.max(1, Math.ceil(bytes.length / pieces));
  for (let offset = 0; offset < bytes.length; offset += size) await channel.send(bytes.subarray(offset, offset + size));
  await channel.close();
  let text = '';
  for await (const piece of channel) text += new TextDecoder().decode(piece);
  return text;
}
const ask = async (body: object, pieces?: number): Promise<unknown> =>
  JSON.parse(await send(JSON.stringify(body), pieces));

describe('/llama/1.0.0', () => {
  it('answers the seed’s request in the seed’s shape, however it is cut', async () => {
    serve();
    const request = {
      prompt: 'hello there',
      max_tokens: 100,
      temperature: 0.7,
      top_p: 0.9,
      stream: false,
      parameters: {},
    };
    expect(await ask(request, 7)).toEqual({
      success: true,
      data: {
        content: 'echo: hello there',
        model: 'echo',
        stop: true,
        tokens_predicted: 3,
        tokens_evaluated: 2,
        truncated: false,
        stopped_eos: true,
        stopped_limit: false,
        stop_type: 'eos',
      },
    });
    expect(world.admission.booked).toMatchObject([{ usage: { promptTokens: 2, answerTokens: 3 } }]);
  });

  it('streams lines when asked to, and ends with the counts', async () => {
    serve();
    const lines = (await send('{"prompt":"a b","stream":true}'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines.slice(0, -1)).toEqual(
      ['echo:', ' a', ' b'].map((content) => ({ success: true, data: { content, stop: false } })),
    );
    expect(lines.at(-1)).toMatchObject({ success: true, data: { content: '', stop: true, tokens_predicted: 3 } });
  });

  it('lets `parameters` change what is allowed and nothing else; 0 means the default', async () => {
    serve();
    expect(
      await ask({ prompt: 'a b c', max_tokens: 0, parameters: { n_predict: 2, model: '/etc/passwd', seed: 'x' } }),
    ).toMatchObject({
      data: { content: 'echo: a', stop_type: 'limit', model: 'echo' },
    });
    expect(await ask({ prompt: 'a b c', parameters: { stop: [' c'] } })).toMatchObject({
      data: { content: 'echo: a b' },
    });
    expect(await ask({ prompt: 'a b c', max_tokens: 0, temperature: 0, top_p: 0 })).toMatchObject({ success: true });
    expect(world.admission.claims[2]?.units).toBeGreaterThanOrEqual(limits.llamaMaxTokensDefault);
    expect(await ask({ prompt: 'x', model: 'lorem-1' })).toMatchObject({ data: { content: 'lorem' } });
  });

  it('so many texts end an answer, each of so many bytes, and not one more', () => {
    const stopsAt = (stop: readonly string[]): unknown => {
      try {
        return parseRequest(utf8(JSON.stringify({ prompt: 'x', parameters: { stop } }))).sampling.stop;
      } catch (error) {
        return String(error);
      }
    };
    const [most, more] = [`é${'x'.repeat(limits.stopTextBytesMax - 2)}`, `é${'x'.repeat(limits.stopTextBytesMax - 1)}`];
    const many = (count: number): string[] => Array.from({ length: count }, () => most);
    expect(stopsAt(many(limits.stopTextsMax))).toEqual(many(limits.stopTextsMax));
    expect(stopsAt(many(limits.stopTextsMax + 1))).toMatch('Invalid request: stop');
    expect(stopsAt([more])).toMatch('Invalid request: stop');
  });

  it.each([
    ['', 'No request data received'],
    ['{"prompt":', 'Invalid JSON request'],
    ['[]', 'Invalid JSON request'],
    [Uint8Array.of(0xff), 'Invalid JSON request'],
    ['{"prompt":7}', 'Invalid request: prompt must be a text'],
    ['{"prompt":"x","max_tokens":-1}', 'Invalid request: max_tokens is 1 to 32768'],
    ['{"prompt":"x","temperature":"hot"}', 'Invalid request: temperature is 0 to 5'],
    ['{"prompt":"x","parameters":{"stop":[1]}}', 'Invalid request: stop is up to 16 short texts'],
    ['{"prompt":"x","apiKey":"wrong"}', 'Invalid API key'],
    ['{"prompt":"x","apiKey":7}', 'Invalid API key'],
    ['{"prompt":"x","model":"mistral"}', 'Model not found'],
    ['{"prompt":"x","model":"fail"}', 'the engine of this model broke off'],
  ])('answers %j with %j', async (body, error) => {
    serve({ apiKeys: apiKeyTable(nobleCrypto, [['right', utf8('grant')]]) });
    expect(JSON.parse(await send(body))).toEqual({ success: false, error });
    expect(world.admission.booked).toEqual([]);
  });

  it('takes a key for the right it stands for, and says so when admission refuses', async () => {
    const admission = recordingAdmission(({ grant, units }) => {
      if (grant === undefined) throw new PeerAiError('NOT_GRANTED', 'strangers get nothing');
      return units;
    });
    serve(
      {
        apiKeys: apiKeyTable(nobleCrypto, [
          ['right', utf8('grant')],
          ['other', utf8('other grant')],
        ]),
      },
      admission,
    );
    expect(await ask({ prompt: 'x', apiKey: 'right' })).toMatchObject({ success: true });
    expect(admission.claims[0]?.grant).toEqual(utf8('grant'));
    expect(await ask({ prompt: 'x' })).toEqual({ success: false, error: 'Invalid API key' });
    expect(await ask({ prompt: 'x', apiKey: 'x'.repeat(limits.llamaApiKeyBytesMax + 1) })).toMatchObject({
      success: false,
    });
  });

  it('takes a key of as many bytes as the limit, and no longer one', async () => {
    const seen: string[] = [];
    serve({ apiKeys: (key) => (seen.push(key), utf8('grant')) });
    const fits = 'é'.repeat(limits.llamaApiKeyBytesMax / 2);
    expect(await ask({ prompt: 'x', apiKey: fits })).toMatchObject({ success: true });
    expect(await ask({ prompt: 'x', apiKey: `${fits}x` })).toEqual({ success: false, error: 'Invalid API key' });
    expect(seen).toEqual([fits]);
  });

  it('gives as many tokens as the default where none are asked for, in pieces of so many bytes', async () => {
    serve();
    const counts = (model: string) => ask({ prompt: 'x', model });
    const most = limits.llamaMaxTokensDefault;
    expect(await counts(`lorem-${most}`)).toMatchObject({ data: { tokens_predicted: most, stop_type: 'eos' } });
    expect(await counts(`lorem-${most + 1}`)).toMatchObject({ data: { tokens_predicted: most, stop_type: 'limit' } });
    const channel = await world.here.open(provider, llamaProtocol, { signal: never });
    await channel.send(utf8(`{"prompt":"${'x'.repeat(2 * limits.llamaPieceBytes)}"}`));
    await channel.close();
    const sizes: number[] = [];
    for await (const piece of channel) sizes.push(piece.length);
    const whole = sizes.slice(0, -1);
    expect([whole.length, whole, (sizes.at(-1) ?? Infinity) <= limits.llamaPieceBytes]).toEqual([
      2,
      whole.map(() => limits.llamaPieceBytes),
      true,
    ]);
  });

  it('takes a request of the limit and refuses one byte more', async () => {
    serve();
    const padded = (bytes: number): string => '{"prompt":"x"}'.padEnd(bytes, ' ');
    expect(JSON.parse(await send(padded(limits.llamaRequestBytesMax), 4))).toMatchObject({ success: true });
    expect(JSON.parse(await send(padded(limits.llamaRequestBytesMax + 1), 4))).toEqual({
      success: false,
      error: 'Request too large',
    });
  });

  it('drops a client that never ends its request', async () => {
    serve();
    const channel = await world.here.open(provider, llamaProtocol, { signal: never });
    await channel.send(utf8('{"prompt":'));
    let told: Uint8Array | undefined;
    const reading = channel[Symbol.asyncIterator]()
      .next()
      .then(({ value }) => (told = value as Uint8Array));
    await world.clock.advance(limits.llamaRequestMs - 1);
    expect(told).toBeUndefined();
    await world.clock.advance(1);
    const value = await reading;
    expect(JSON.parse(new TextDecoder().decode(value))).toEqual({
      success: false,
      error: 'Request timed out',
    });
    await channel.close();
  });

  it('serves as many at once as its limit and tells the next one', async () => {
    serve({ connectionsMax: 2 });
    const channels = await Promise.all([1, 2].map(() => world.here.open(provider, llamaProtocol, { signal: never })));
    expect(await ask({ prompt: 'x' })).toEqual({ success: false, error: 'Connection limit reached' });
    await channels[0]?.close('STOPPED');
    await settle();
    expect(await ask({ prompt: 'x' })).toMatchObject({ success: true });
    await channels[1]?.close('STOPPED');
  });

  it('serves ten at once where nothing else was said', async () => {
    serve();
    const held: Channel[] = [];
    for (let count = 0; count < limits.llamaConnectionsMax; count += 1) {
      const network = world.networks.join(`guest-${count}` as PeerId);
      held.push(await network.open(provider, llamaProtocol, { signal: never }));
    }
    expect(await ask({ prompt: 'x' })).toEqual({ success: false, error: 'Connection limit reached' });
    for (const channel of held) await channel.close('STOPPED');
  });

  it('stops the engine when the client goes, and when it is disposed', async () => {
    const serving = serve();
    const start = async (): Promise<void> => {
      const channel = await world.here.open(provider, llamaProtocol, { signal: never });
      await channel.send(utf8('{"prompt":"a b c d e f g h","model":"echo-slow","stream":true}'));
      await channel.close();
      await world.clock.advance(60);
    };
    await start();
    expect(queue.running).toBe(1);
    await world.here.disconnect(provider);
    await settle();
    expect([queue.running, world.admission.open]).toEqual([0, 0]);
    await start();
    expect(queue.running).toBe(1);
    serving[Symbol.dispose]();
    await settle();
    expect([queue.running, world.admission.open]).toEqual([0, 0]);
  });
});
