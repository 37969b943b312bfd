import 'reflect-metadata';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { NestFactory } from '@nestjs/core';
import { silentLogger } from '@peerai/core-protocol/testing';
import type { Peer } from '@peerai/peer';
import { expect, test } from 'vitest';
import { controllers, EdgeModule } from './edge.module.ts';
import type { ControlHooks } from './hooks.ts';

/** Metadata that `@Inject` leaves for each parameter (Nest's SELF_DECLARED_DEPS_METADATA). */
const injected = 'self:paramtypes';

test.each(controllers.map((controller) => [controller.name, controller] as const))(
  '%s names what every parameter of its constructor is given',
  (_name, controller) => {
    const named = (Reflect.getMetadata(injected, controller) ?? []) as readonly { readonly index: number }[];
    expect(named.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: controller.length }, (_, at) => at),
    );
  },
);

test('Nest starts without a word of warning, and gives each controller the peer itself', async () => {
  const words: string[] = [];
  const say = (text: unknown): void => void words.push(String(text));
  const logger = { log: () => undefined, error: say, warn: say, fatal: say };
  const peer = { id: 'the peer' } as unknown as Peer;
  const app = await NestFactory.create(EdgeModule.with(peer, {} as ControlHooks, silentLogger), new FastifyAdapter(), {
    logger,
    abortOnError: false,
  });
  await app.init();
  for (const controller of controllers) {
    const made = app.get<{ readonly peer?: unknown; readonly control?: unknown }>(controller);
    expect(Object.values(made).every((one) => one !== undefined)).toBe(true);
    if ('peer' in made) expect(made.peer).toBe(peer);
  }
  await app.close();
  expect(words).toEqual([]);
});
