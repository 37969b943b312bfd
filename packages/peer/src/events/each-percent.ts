/** Tells of each whole percent of a step once; nothing of one that has no parts. */
export function eachPercent<Step extends string>(
  tell: (step: Step, done: number, all: number) => void,
): (step: Step, done: number, all: number) => void {
  let last = '';
  return (step, done, all) => {
    const now = `${step} ${Math.floor((100 * done) / all)} ${all}`;
    if (all <= 0 || now === last) return;
    last = now;
    tell(step, done, all);
  };
}
