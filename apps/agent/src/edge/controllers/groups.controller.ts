import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import type { GroupDeliveryView, GroupMessageView, GroupSentView, GroupView, Peer } from '@peerai/peer';
import { groupMembersSchema, groupRequestSchema, groupSendSchema } from '@peerai/peer/schemas';
import type { z } from 'zod';
import { PEER } from '../tokens.ts';

@Controller('api/v1/groups')
export class GroupsController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  async list(): Promise<{ readonly v: 1; readonly groups: readonly GroupView[] }> {
    return { v: 1, groups: await this.peer.groups.list() };
  }

  @Post()
  create(
    @Body({ schema: groupRequestSchema }) { name, members }: z.output<typeof groupRequestSchema>,
  ): Promise<GroupView> {
    return this.peer.groups.create(name, members, AbortSignal.timeout(addMsMax));
  }

  @Get(':group')
  one(@Param('group') group: string): Promise<GroupView> {
    return this.peer.groups.get(group);
  }

  @Delete(':group')
  @HttpCode(204)
  leave(@Param('group') group: string): Promise<void> {
    return this.peer.groups.leave(group);
  }

  @Post(':group/members')
  add(
    @Param('group') group: string,
    @Body({ schema: groupMembersSchema }) { peers }: z.output<typeof groupMembersSchema>,
  ): Promise<GroupView> {
    return this.peer.groups.add(group, peers, AbortSignal.timeout(addMsMax));
  }

  @Delete(':group/members/:peer')
  remove(@Param('group') group: string, @Param('peer') peer: string): Promise<GroupView> {
    return this.peer.groups.remove(group, peer);
  }

  @Post(':group/renew')
  @HttpCode(200)
  renew(@Param('group') group: string): Promise<GroupView> {
    return this.peer.groups.renew(group);
  }

  @Get(':group/messages')
  async messages(
    @Param('group') group: string,
  ): Promise<{ readonly v: 1; readonly messages: readonly GroupMessageView[] }> {
    return { v: 1, messages: await this.peer.groups.messages(group) };
  }

  @Get(':group/sent')
  async sent(@Param('group') group: string): Promise<{ readonly v: 1; readonly messages: readonly GroupSentView[] }> {
    return { v: 1, messages: await this.peer.groups.sent(group) };
  }

  @Post(':group/messages')
  @HttpCode(202)
  send(
    @Param('group') group: string,
    @Body({ schema: groupSendSchema }) { kind, payload, queue }: z.output<typeof groupSendSchema>,
  ): Promise<GroupDeliveryView> {
    return this.peer.groups.send(group, kind, payload, queue);
  }
}

/** Where a message that was sent to a group stands with each member. */
@Controller('api/v1/group-messages')
export class GroupMessagesController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get(':id')
  report(@Param('id') id: string): Promise<GroupDeliveryView> {
    return this.peer.groups.report(id);
  }
}

/** How long asking new members for their keys may take, milliseconds: they are asked at once. */
const addMsMax = 20_000;
