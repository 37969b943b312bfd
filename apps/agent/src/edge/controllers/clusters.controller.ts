import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import type {
  ClusterAnswerView,
  ClusterDetail,
  ClusterExportView,
  ClusterGrownView,
  ClusterLearnedView,
  ClusterRunView,
  ClustersView,
  ClusterView,
  Peer,
} from '@peerai/peer';
import {
  clusterLessonSchema,
  type ClusterQuestion,
  clusterQuestionSchema,
  clusterRequestSchema,
  clusterStepsSchema,
} from '@peerai/peer/schemas';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { goneSignal } from '../stream.ts';
import { PEER } from '../tokens.ts';

/** Gating clusters of this peer. */
@Controller('api/v1/clusters')
export class ClustersController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  list(): Promise<ClustersView> {
    return this.peer.clusters.list();
  }

  @Post()
  create(@Body({ schema: clusterRequestSchema }) request: z.output<typeof clusterRequestSchema>): Promise<ClusterView> {
    return this.peer.clusters.create(request);
  }

  @Get(':name')
  one(@Param('name') name: string): Promise<ClusterDetail> {
    return this.peer.clusters.get(name);
  }

  @Get(':name/onnx')
  onnx(@Param('name') name: string): Promise<ClusterExportView> {
    return this.peer.clusters.toOnnx(name);
  }

  @Post(':name/process')
  @HttpCode(200)
  process(
    @Param('name') name: string,
    @Body({ schema: clusterStepsSchema }) steps: z.output<typeof clusterStepsSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ClusterRunView> {
    return this.peer.clusters.process(name, steps, goneSignal(reply));
  }

  @Post(':name/ask')
  @HttpCode(200)
  ask(
    @Param('name') name: string,
    @Body({ schema: clusterQuestionSchema }) question: ClusterQuestion,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ClusterAnswerView> {
    return this.peer.clusters.ask(name, question, goneSignal(reply));
  }

  @Post(':name/learn')
  @HttpCode(200)
  learn(
    @Param('name') name: string,
    @Body({ schema: clusterLessonSchema }) lesson: z.output<typeof clusterLessonSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ClusterLearnedView> {
    return this.peer.clusters.learn(name, lesson, goneSignal(reply));
  }

  @Post(':name/grow')
  @HttpCode(200)
  grow(@Param('name') name: string): Promise<ClusterGrownView> {
    return this.peer.clusters.grow(name);
  }

  @Delete(':name')
  @HttpCode(204)
  remove(@Param('name') name: string): Promise<void> {
    return this.peer.clusters.remove(name);
  }
}
