import { Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import type { CapabilitiesView, ConfigView, DoctorView, NodeView, Peer } from '@peerai/peer';
import { CONTROL, PEER } from '../tokens.ts';
import type { ControlHooks } from '../hooks.ts';

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
  capabilities(): CapabilitiesView {
    return this.peer.status.capabilities.own();
  }

  @Get('doctor')
  doctor(): Promise<DoctorView> {
    return this.peer.doctor.check();
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
