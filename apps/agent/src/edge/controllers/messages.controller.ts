import type { MessagePriority } from '@peerai/core-protocol';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import type { BroadcastView, DeliveryView, KeyView, MessageView, Peer } from '@peerai/peer';
import { broadcastRequestSchema, keyRequestSchema, messageRequestSchema } from '@peerai/peer/schemas';
import type { z } from 'zod';
import type { ControlHooks } from '../hooks.ts';
import { CONTROL, PEER } from '../tokens.ts';

interface MessageRequest {
  readonly to: string;
  readonly kind: string;
  readonly payload: unknown;
  readonly priority: MessagePriority;
  readonly queue: boolean;
}

@Controller('api/v1/messages')
export class MessagesController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  async list(): Promise<{ readonly v: 1; readonly messages: readonly MessageView[] }> {
    return { v: 1, messages: await this.peer.messages.list() };
  }

  @Post()
  @HttpCode(202)
  send(
    @Body({ schema: messageRequestSchema }) { to, kind, payload, priority, queue }: MessageRequest,
  ): Promise<DeliveryView> {
    return this.peer.messages.deliver(to, kind, payload, priority, queue);
  }
}

/** One message to several, with what became of it for each. */
@Controller('api/v1/broadcasts')
export class BroadcastsController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Post()
  @HttpCode(202)
  send(
    @Body({ schema: broadcastRequestSchema }) { to, kind, payload, queue }: z.output<typeof broadcastRequestSchema>,
  ): Promise<BroadcastView> {
    return this.peer.messages.broadcast(to, kind, payload, queue);
  }
}

@Controller('api/v1/keys')
export class KeysController {
  private readonly control: ControlHooks;
  constructor(@Inject(CONTROL) control: ControlHooks) {
    this.control = control;
  }

  @Get()
  list(): { readonly v: 1; readonly keys: readonly KeyView[] } {
    return { v: 1, keys: this.control.keys.list() };
  }

  @Post()
  @HttpCode(201)
  make(@Body({ schema: keyRequestSchema }) { name }: { readonly name: string }): Promise<KeyView> {
    return this.control.keys.make(name);
  }

  @Delete(':name')
  @HttpCode(204)
  revoke(@Param('name') name: string): Promise<void> {
    return this.control.keys.revoke(name);
  }
}
