import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { PeerAiError } from '@peerai/core-protocol';
import type {
  ImportedModelsView,
  ImportedModelView,
  ModelRunRequest,
  ModelRunView,
  ModelsView,
  Peer,
} from '@peerai/peer';
import { modelPatchSchema, modelRunRequestSchema } from '@peerai/peer/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { fileBody } from '../file-body.ts';
import { goneSignal } from '../stream.ts';
import { PEER } from '../tokens.ts';

@Controller('api/v1/models')
export class ModelsController {
  private readonly peer: Peer;
  constructor(@Inject(PEER) peer: Peer) {
    this.peer = peer;
  }

  @Get()
  list(): Promise<ModelsView> {
    return this.peer.models.list();
  }

  @Patch(':name')
  @HttpCode(204)
  expose(
    @Param('name') name: string,
    @Body({ schema: modelPatchSchema }) { exposed }: { readonly exposed: boolean },
  ): Promise<void> {
    return this.peer.models.expose(name, exposed);
  }

  @Get('imported')
  imported(): Promise<ImportedModelsView> {
    return this.peer.imported.list();
  }

  /** The body is the model file, read as it comes. */
  @Post('imported')
  add(
    @Query('name') name: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImportedModelView> {
    if (typeof name !== 'string') throw new PeerAiError('INVALID_FORMAT', 'name: one name');
    return this.peer.imported.add(name, fileBody(request), goneSignal(reply));
  }

  @Get('imported/:name')
  one(@Param('name') name: string): Promise<ImportedModelView> {
    return this.peer.imported.get(name);
  }

  /** The body is its `tokenizer.json`. */
  @Post('imported/:name/tokenizer')
  @HttpCode(200)
  addTokenizer(
    @Param('name') name: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImportedModelView> {
    return this.peer.imported.addTokenizer(name, fileBody(request), goneSignal(reply));
  }

  @Delete('imported/:name')
  @HttpCode(204)
  remove(@Param('name') name: string): Promise<void> {
    return this.peer.imported.remove(name);
  }

  /** Inference with an imported model: tensors in, tensors out. */
  @Post(':name/run')
  @HttpCode(200)
  run(
    @Param('name') name: string,
    @Body({ schema: modelRunRequestSchema }) { inputs }: ModelRunRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ModelRunView> {
    return this.peer.imported.run(name, inputs, goneSignal(reply));
  }
}
