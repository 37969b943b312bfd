/**
 * A visitor with a link into a training run: looks at what is asked, and takes part from a browser tab.
 *
 * @packageDocumentation
 */
export { createVisitor } from './create-visitor.ts';
export type { Visit, Visitor, VisitOptions, VisitorWorld } from './visitor.ts';
export type { TrainingRoundView, TrainingRunView } from '../training/training.schema.ts';
