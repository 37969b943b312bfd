import { RunLeader } from './lead.ts';
import type { RunDeps } from './participant.ts';
import { type Runs, runsOf } from './runs.ts';

/** The runs of a peer that coordinates when its turn comes. */
export const createRuns = (deps: RunDeps): Runs => runsOf(deps, (...about) => new RunLeader(...about));

/** The runs of a peer that never coordinates, as a tab's is: what only a coordinator needs stays out of its page. */
export const createFollowerRuns = (deps: RunDeps): Runs => runsOf(deps, undefined);
