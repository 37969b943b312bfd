import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { PeerAiError } from '@peerai/core-protocol';
import type {
  Peer,
  TrainingDataView,
  TrainingDetail,
  TrainingLinkView,
  TrainingOffersView,
  TrainingPrediction,
  TrainingRunsView,
  TrainingRunView,
} from '@peerai/peer';
import { trainingJoinSchema, trainingLinkRequestSchema, trainingRequestSchema } from '@peerai/peer/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { attachment } from '../attachment.ts';
import { fileBody } from '../file-body.ts';
import { goneSignal } from '../stream.ts';
import { PEER } from '../tokens.ts';

/** Models that devices train together. */
@Controller('api/v1/training')
export class TrainingController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get('runs')
  async list(): Promise<TrainingRunsView> {
    return { v: 1, runs: [...(await this.peer.training.list())] };
  }

  @Post('runs')
  @HttpCode(202)
  begin(
    @Body({ schema: trainingRequestSchema }) wish: z.output<typeof trainingRequestSchema>,
  ): Promise<TrainingRunView> {
    return this.peer.training.begin(wish);
  }

  @Get('runs/:id')
  one(@Param('id') id: string): Promise<TrainingDetail> {
    return this.peer.training.get(id);
  }

  /** The trained model, an ONNX file. */
  @Get('runs/:id/model')
  async model(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    const { name, bytes } = await this.peer.training.model(id);
    void reply.headers(attachment(name, bytes.length)).send(bytes);
  }

  /** A body here is a table; the answer says what the model makes of each row. */
  @Post('runs/:id/predict')
  @HttpCode(200)
  predict(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TrainingPrediction> {
    return this.peer.training.predict(id, fileBody(request), goneSignal(reply));
  }

  @Post('runs/:id/stop')
  @HttpCode(200)
  stop(@Param('id') id: string): Promise<TrainingRunView> {
    return this.peer.training.stop(id);
  }

  @Delete('runs/:id')
  @HttpCode(204)
  remove(@Param('id') id: string): Promise<void> {
    return this.peer.training.remove(id);
  }

  /** Links with which browsers may take part. */
  @Get('runs/:id/links')
  async links(@Param('id') id: string): Promise<{ v: 1; links: readonly TrainingLinkView[] }> {
    return { v: 1, links: await this.peer.training.links(id) };
  }

  @Post('runs/:id/links')
  @HttpCode(201)
  link(
    @Param('id') id: string,
    @Body({ schema: trainingLinkRequestSchema }) wish: z.output<typeof trainingLinkRequestSchema>,
  ): Promise<TrainingLinkView> {
    return this.peer.training.link(id, wish);
  }

  @Delete('links/:id')
  stopLink(@Param('id') id: string): Promise<TrainingLinkView> {
    return this.peer.training.stopLink(id);
  }

  /** A body here is the data itself; it stays on this machine. */
  @Post('data')
  @HttpCode(201)
  async readIn(
    @Query('name') name: unknown,
    @Req() request: FastifyRequest,
  ): Promise<{ v: 1; data: TrainingDataView }> {
    if (typeof name !== 'string' || name === '') throw new PeerAiError('INVALID_FORMAT', 'name: one name');
    return { v: 1, data: await this.peer.training.readIn(name, fileBody(request)) };
  }

  @Get('offers')
  offers(@Res({ passthrough: true }) reply: FastifyReply): Promise<TrainingOffersView> {
    return this.peer.training.offers(goneSignal(reply));
  }

  @Post('offers/:id/join')
  @HttpCode(202)
  join(
    @Param('id') id: string,
    @Body({ schema: trainingJoinSchema }) wish: z.output<typeof trainingJoinSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TrainingRunView> {
    return this.peer.training.join(id, wish, goneSignal(reply));
  }
}
