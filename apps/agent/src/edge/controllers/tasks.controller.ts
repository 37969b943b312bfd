import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import type { Peer, TaskDetail, TasksView, TaskView } from '@peerai/peer';
import { taskCancelSchema, taskRequestSchema } from '@peerai/peer/schemas';
import type { z } from 'zod';
import { PEER } from '../tokens.ts';

@Controller('api/v1/tasks')
export class TasksController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  list(): TasksView {
    const { tasks } = this.peer;
    return { v: 1, tasks: [...tasks.list()], types: [...tasks.types()] };
  }

  @Post()
  @HttpCode(202)
  delegate(@Body({ schema: taskRequestSchema }) request: z.output<typeof taskRequestSchema>): Promise<TaskView> {
    return this.peer.tasks.delegate(request);
  }

  @Get(':id')
  one(@Param('id') id: string): Promise<TaskDetail> {
    return this.peer.tasks.get(id);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  cancel(
    @Param('id') id: string,
    @Body({ schema: taskCancelSchema }) { reason }: { readonly reason?: string },
  ): Promise<TaskView> {
    return this.peer.tasks.cancel(id, reason);
  }
}
