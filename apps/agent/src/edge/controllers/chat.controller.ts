import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { type Logger, PeerAiError } from '@peerai/core-protocol';
import type { AnswerCheckView, Peer, PublishedView } from '@peerai/peer';
import { chatRequestSchema, publishRequestSchema } from '@peerai/peer/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { fileBody } from '../file-body.ts';
import { goneSignal, sendEvents, type StreamItem } from '../stream.ts';
import { LOGGER, PEER } from '../tokens.ts';

/** The streams of the control API: answers with their evidence, what happens, what is published. */
@Controller('api/v1')
export class StreamsController {
  private readonly peer: Peer;
  private readonly logger: Logger;
  constructor(@Inject(PEER) peer: Peer, @Inject(LOGGER) logger: Logger) {
    this.peer = peer;
    this.logger = logger;
  }

  @Post('chat')
  async chat(
    @Body({ schema: chatRequestSchema }) request: z.output<typeof chatRequestSchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const answer = this.peer.chat.ask(request, goneSignal(reply));
    await this.stream(reply, items(answer));
  }

  /** The body is a file of `peerai run --proof`: its model is asked again here. */
  @Post('chat/check')
  @HttpCode(200)
  check(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<AnswerCheckView> {
    return this.peer.chat.check(fileBody(request), goneSignal(reply));
  }

  @Get('events')
  async events(@Headers('last-event-id') lastId: string | undefined, @Res() reply: FastifyReply): Promise<void> {
    const after = lastId === undefined || !/^\d+$/.test(lastId) ? undefined : Number(lastId);
    const events = this.peer.events.subscribe(goneSignal(reply), after);
    await this.stream(reply, numbered(events));
  }

  @Post('topics/:topic')
  @HttpCode(202)
  publish(
    @Param('topic') topic: string,
    @Body({ schema: publishRequestSchema }) { payload }: { readonly payload: unknown },
  ): Promise<PublishedView> {
    return this.peer.topics.publish(topic, payload);
  }

  @Get('topics/:topic')
  async subscribe(
    @Param('topic') topic: string,
    @Query('where') where: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (where !== undefined && typeof where !== 'string') throw new PeerAiError('INVALID_FORMAT', 'one filter at most');
    await this.stream(reply, topicItems(this.peer.topics.subscribe(topic, goneSignal(reply), where)));
  }

  /** Once the answer began, a failure can only end it. */
  private async stream(reply: FastifyReply, source: AsyncIterable<StreamItem>): Promise<void> {
    reply.hijack();
    await sendEvents(reply.raw, source).catch((error: unknown) => {
      this.logger.error('stream-failed', { error: error instanceof Error ? error.message : 'unknown' });
    });
  }
}

async function* items(events: AsyncIterable<{ readonly type: string }>): AsyncIterable<StreamItem> {
  for await (const { type, ...data } of events) yield { type, data };
}

async function* topicItems(messages: ReturnType<Peer['topics']['subscribe']>): AsyncIterable<StreamItem> {
  for await (const data of messages) yield { type: 'message', data };
}

async function* numbered(events: ReturnType<Peer['events']['subscribe']>): AsyncIterable<StreamItem> {
  for await (const { id, event } of events) {
    const { type, ...data } = event;
    yield { type, data, id };
  }
}
