import { createStunResponder } from '@peerai/transport/testing';
import { natPlaces, natPort, turnUser } from './nat-places.ts';
import { startTurnServer } from './turn-server.ts';

/** The STUN and TURN servers on the public network of the test with routers: a process of its own. */
for (const host of natPlaces.stun) await createStunResponder(host, natPort);
await startTurnServer({ host: natPlaces.turn, port: natPort, ...turnUser });
console.log('{}');
