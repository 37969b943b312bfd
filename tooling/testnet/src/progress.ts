/** Told of each of so many things that is done, says how many are: each of a few, every tenth part of many. */
export function counted(all: number, what: string, say: ((text: string) => void) | undefined): () => void {
  const step = Math.max(1, Math.floor(all / 10));
  let done = 0;
  return () => {
    done += 1;
    if (done % step === 0 || done === all) say?.(`${done} of ${all} ${what}`);
  };
}
