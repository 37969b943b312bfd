/** The measured recipe for 2 to 3 M parameters. */
export const schedule = { peak: 2.5e-3, warmUpSteps: 60, constantShare: 0.45, floorShare: 0.02 } as const;

/** The learning rate of step `step` (1 for the first) of `steps`: a short rise, constant to 45 %, then a line down. */
export function learningRateAt(step: number, steps: number, peak: number = schedule.peak): number {
  const { warmUpSteps, constantShare, floorShare } = schedule;
  const rise = Math.min(1, step / warmUpSteps);
  const progress = step / steps;
  const fall = progress <= constantShare ? 1 : 1 - (progress - constantShare) / (1 - constantShare);
  return peak * rise * Math.max(floorShare, fall);
}
