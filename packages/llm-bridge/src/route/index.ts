export { createFailures, type Failures } from './failures.ts';
export { rank, type Ranked, type RouteFacts, type RouteQuestion } from './rank.ts';
export { type RouteCandidate, routedModel, type RouteWatch } from './routed-model.ts';
