import { Body, Controller, Get, Headers, Inject, Post, Res } from '@nestjs/common';
import type { Peer } from '@peerai/peer';
import { chatRequestSchema } from '@peerai/peer/schemas';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { sendEvents, type StreamItem } from '../stream.ts';
import { PEER } from '../tokens.ts';

/** The two streams of the control API: answers with their evidence, and what happens. */
@Controller('api/v1')
export class StreamsController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Post('chat')
  async chat(@Body({ schema: chatRequestSchema }) request: z.output<typeof chatRequestSchema>, @Res() reply: FastifyReply): Promise<void> {
    const answer = this.peer.chat.ask(request, goneSignal(reply));
    await stream(reply, items(answer));
  }

  @Get('events')
  async events(@Headers('last-event-id') lastId: string | undefined, @Res() reply: FastifyReply): Promise<void> {
    const after = lastId === undefined || !/^\d+$/.test(lastId) ? undefined : Number(lastId);
    const events = this.peer.events.subscribe(goneSignal(reply), after);
    await stream(reply, numbered(events));
  }
}

function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.on('close', () => gone.abort());
  return gone.signal;
}

async function stream(reply: FastifyReply, source: AsyncIterable<StreamItem>): Promise<void> {
  const headers = Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
  reply.hijack();
  await sendEvents(reply.raw, headers, source);
}

async function* items(events: AsyncIterable<{ readonly type: string }>): AsyncIterable<StreamItem> {
  for await (const { type, ...data } of events) yield { type, data };
}

async function* numbered(events: ReturnType<Peer['events']['subscribe']>): AsyncIterable<StreamItem> {
  for await (const { id, event } of events) {
    const { type, ...data } = event;
    yield { type, data, id };
  }
}
