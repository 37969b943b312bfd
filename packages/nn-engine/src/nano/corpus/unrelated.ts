/** Questions the guide must refuse. `test` shares no question with `train` and is used for evaluation only. */
export const unrelated: { readonly train: readonly string[]; readonly test: readonly string[] } = {
  train: [],
  test: [],
};
