import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import type {
  CapabilitiesView,
  ConfigView,
  DoctorView,
  NetView,
  NodeView,
  Peer,
  RevocationView,
  RotationView,
} from '@peerai/peer';
import { rotateRequestSchema } from '@peerai/peer/schemas';
import type { z } from 'zod';
import { CONTROL, PEER } from '../tokens.ts';
import type { ControlHooks } from '../hooks.ts';

/** Telling all devices at once, those away included, milliseconds. */
const tellMs = 15_000;

@Controller('api/v1')
export class NodeController {
  private readonly peer: Peer;
  private readonly control: ControlHooks;
  constructor(@Inject(PEER) peer: Peer, @Inject(CONTROL) control: ControlHooks) {
    this.peer = peer;
    this.control = control;
  }

  @Get('node')
  node(): Promise<NodeView> {
    return this.peer.node();
  }

  @Get('node/capabilities')
  capabilities(): Promise<CapabilitiesView> {
    return this.peer.status.capabilities.own();
  }

  @Post('node/key/rotate')
  @HttpCode(200)
  rotate(@Body({ schema: rotateRequestSchema }) wish: z.output<typeof rotateRequestSchema>): Promise<RotationView> {
    return this.peer.keys.rotate(wish);
  }

  @Post('node/key/revoke')
  @HttpCode(200)
  revoke(): Promise<RevocationView> {
    return this.peer.keys.revoke(AbortSignal.timeout(tellMs));
  }

  @Get('doctor')
  doctor(): Promise<DoctorView> {
    return this.peer.doctor.check();
  }

  @Get('net')
  net(): NetView {
    return this.peer.paths.net();
  }

  @Get('config')
  config(): ConfigView {
    return this.control.config();
  }

  @Post('shutdown')
  @HttpCode(202)
  shutdown(): { readonly v: 1; readonly stopping: true } {
    this.control.shutdown();
    return { v: 1, stopping: true };
  }
}
